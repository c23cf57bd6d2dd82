/**
 * What can be told of Deno's executable without its base binary, which not every network has: with Deno itself
 * as the base the file is written as always, only that it does not start as one.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { buildCli } from "../../.ci/build/bundles.ts";
import { compileDeno } from "../../.ci/build/executables.ts";
import { PERMISSIONS } from "../../cli/permissions.ts";
import { commandOf, executable } from "../support/runtime.ts";

const run = promisify(execFile);

describe("executable made with Deno", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentinel-deno-executable-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("holds every file of the bundle that the tests run, and the permissions of the table", async () => {
    await buildCli(folder, { followed: true });
    const base = executable("deno");
    const outfile = join(folder, "mcp-sentinel");
    const file = await compileDeno({ outfile, env: { DENORT_BIN: base } });
    const { size } = await stat(base);
    const written = (await readFile(file)).subarray(size);
    const parts = (await readdir(join(folder, "parts"))).map((name) => join("parts", name));
    for (const part of ["mcp-sentinel.js", ...parts]) {
      assert.ok(written.includes(await readFile(join(folder, part))), `${part} is another one`);
    }
    const [, granted = ""] = /"permissions":(\{[^{}]*\})/.exec(written.toString("latin1")) ?? [];
    const flags = new Map(Object.entries(JSON.parse(granted) as Record<string, unknown>));
    assert.deepEqual([flags.get("deny_import"), flags.get("prompt")], [[], false]);
    flags.delete("allow_import"); // what its denial outweighs
    const allowed = [...flags].filter(([name, value]) =>
      name.startsWith("allow_") && value !== null && value !== false
    );
    assert.deepEqual(
      new Map(allowed),
      new Map(PERMISSIONS.map(({ kind }) => [`allow_${kind}`, []])),
    );
  });

  it("without its base the task ends with 1 and says how to supply it", async () => {
    const target = "x86_64-apple-darwin";
    const args = ["deno", "--target", target, "--output", join(folder, "none")];
    const program = commandOf(".ci/build/compile.ts", args, "node");
    // Nothing answers there, so the download fails on every network.
    const { DENORT_BIN: _base, ...rest } = process.env;
    const env = { ...rest, HTTPS_PROXY: "http://127.0.0.1:1" };
    const said = await run(program.command, program.args, { env }).then(
      () => assert.fail("it was compiled"),
      ({ code, stderr }: { readonly code: number; readonly stderr: string }) => ({ code, stderr }),
    );
    assert.equal(said.code, 1);
    assert.match(said.stderr, /^error: Cannot compile with Deno: its base binary for x86_64-apple/);
    assert.match(said.stderr, /release\/v\d+\.\d+\.\d+\/denort-x86_64-apple-darwin\.zip/);
    assert.match(said.stderr, /DENORT_BIN=/);
    assert.doesNotMatch(said.stderr, /stack|backtrace|^ {4}at /mi);
  });

  it("names a base that is not there", async () => {
    const env = { DENORT_BIN: join(folder, "missing") };
    await assert.rejects(
      compileDeno({ outfile: join(folder, "none"), env }),
      /DENORT_BIN names ".*missing", which is not there/,
    );
  });
});
