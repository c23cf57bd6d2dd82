import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { commandOf, executable } from "../support/runtime.ts";

const run = promisify(execFile);
const PROGRAM = "tests/fixtures/self_program.ts";

interface Printed {
  readonly command: string;
  readonly args: readonly string[];
  readonly argv: readonly string[];
}

async function printed(command: string, args: readonly string[]): Promise<Printed> {
  const { stdout } = await run(command, args, { cwd: tmpdir() });
  return JSON.parse(stdout) as Printed;
}

describe("how the program starts itself again", () => {
  it("the command it gives starts it from any folder", async () => {
    const { command, args } = commandOf(PROGRAM, ["first"]);
    const first = await printed(command, args);
    assert.deepEqual(first.argv, ["first"]);
    const again = await printed(first.command, [...first.args, "again", "--flag"]);
    assert.deepEqual(again, { ...first, argv: ["again", "--flag"] });
  });

  it("on Deno it keeps the permissions it has, and gets no others", async () => {
    const { args } = commandOf(PROGRAM, [], "node");
    const flags = ["--no-prompt", "--deny-import", "--allow-env", "--allow-read", "--allow-sys"];
    const first = await printed(executable("deno"), ["run", ...flags, ...args]);
    assert.deepEqual(new Set(first.args), new Set(["run", ...flags, ...args]));
    const again = await printed(first.command, first.args);
    assert.deepEqual(again, first);
  });
});
