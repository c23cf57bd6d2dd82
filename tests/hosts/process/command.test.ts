import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { findCommand } from "../../../src/hosts/process/command.ts";

describe("findCommand()", () => {
  let root = "";
  const at = (...parts: string[]) => join(root, ...parts);

  before(() => {
    root = mkdtempSync(join(tmpdir(), "sentinel-command-"));
    for (const folder of ["one", "two", "two/tool-folder"]) mkdirSync(at(folder));
    for (const file of ["one/plain", "two/plain", "two/tool"]) {
      writeFileSync(at(file), "#!/bin/sh\n");
    }
    chmodSync(at("one/plain"), 0o644);
    for (const file of ["two/plain", "two/tool"]) chmodSync(at(file), 0o755);
  });

  after(() => rmSync(root, { recursive: true }));

  test("takes the first executable file in the child's own PATH", () => {
    const env = { PATH: `${at("missing")}::${at("one")}:${at("two")}` };
    assert.deepEqual(findCommand("plain", { env }), { path: at("two/plain") });
  });

  test("looks in the usual folders when the child has no PATH", () => {
    const found = findCommand("sh", { env: {} });
    assert.match("path" in found ? found.path : "", /^\/(usr\/)?(local\/)?bin\/sh$/);
  });

  test("takes a path as it is, relative to the working directory", () => {
    assert.deepEqual(findCommand(at("two/tool"), { env: {} }), { path: at("two/tool") });
    assert.deepEqual(findCommand("./tool", { env: {}, cwd: at("two") }), { path: at("two/tool") });
    assert.deepEqual(findCommand("../two/tool", { env: {}, cwd: at("one") }), {
      path: at("two/tool"),
    });
  });

  test("names what is missing", () => {
    const env = { PATH: `${at("one")}:${at("two")}` };
    assert.deepEqual(findCommand("nope", { env }), {
      failure: 'command not found: "nope": current PATH has 2 entries',
    });
    assert.deepEqual(findCommand("./nope", { env }), { failure: 'command not found: "./nope"' });
    assert.deepEqual(findCommand("", { env }), { failure: "the command is empty" });
    assert.deepEqual(findCommand("tool", { env, cwd: at("missing") }), {
      failure: `no working directory "${at("missing")}"`,
    });
  });

  test("names what may not be run: a file without the bit, a folder", () => {
    const failure = 'no permission to run "plain"';
    assert.deepEqual(findCommand("plain", { env: { PATH: at("one") } }), { failure });
    const folder = findCommand("tool-folder", { env: { PATH: at("two") } });
    assert.deepEqual(folder, { failure: 'no permission to run "tool-folder"' });
  });

  test("a file instead of a working directory is refused", () => {
    const cwd = at("two/tool");
    assert.deepEqual(findCommand("sh", { env: {}, cwd }), {
      failure: `no working directory "${cwd}"`,
    });
  });
});
