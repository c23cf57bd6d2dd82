import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { commandOf } from "../../support/runtime.ts";
import { inFolder } from "../../support/temporary_folder.ts";
import { delivered, deliveries } from "../audit_rows.ts";

const bounded = { timeout: 60_000 };
const onPosix = { ...bounded, skip: process.platform === "win32" };

const PROGRAM = "tests/fixtures/stores/audit_stdout.ts";

/** Runs the program with its output as a pipe, or into a file. */
function started(args: readonly string[], output: "pipe" | number = "pipe") {
  const { command, args: all } = commandOf(PROGRAM, args);
  const child = spawn(command, all, { stdio: ["ignore", output, "pipe"] });
  let told = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => told += text);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, ended, told: () => told };
}

const lineOf = (number: number) => {
  const { row, hash } = delivered(number);
  return { ...row, hash };
};

function parsed(text: string): unknown[] {
  const lines = text.split("\n");
  assert.equal(lines.pop(), "");
  return lines.map((line) => JSON.parse(line) as unknown);
}

describe("the audit on standard output", () => {
  test("is a line for each row, with its hash", bounded, async () => {
    const { child, ended, told } = started(["3", "2"]);
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (part: string) => text += part);
    assert.equal(await ended, 0, told());
    assert.deepEqual(parsed(text), deliveries(1, 6).map(({ row }) => lineOf(row.sequence)));
    assert.match(
      told(),
      /closed SentinelError: Cannot write the audit to standard output: it is closed/,
    );
  });

  test("goes into a file too", onPosix, () =>
    inFolder(async (folder) => {
      const path = join(folder, "rows.ndjson");
      const { ended, told } = started(["3", "2"], openSync(path, "w"));
      assert.equal(await ended, 0, told());
      assert.deepEqual(parsed(readFileSync(path, "utf8")).length, 6);
    }));

  test("waits for a reader that is slow, and nothing else waits", onPosix, async () => {
    // More than a pipe and the buffers of both ends hold.
    const { child, ended, told } = started(["4000", "1"]);
    child.stdout?.pause();
    while (told().split("alive").length < 10) await setTimeout(10);
    assert.ok(!told().includes("delivered"), told());
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (part: string) => text += part);
    child.stdout?.resume();
    assert.equal(await ended, 0, told());
    assert.match(told(), /delivered/);
    assert.deepEqual(parsed(text).at(-1), lineOf(4000));
  });

  test("is told when nobody reads any more, and the program goes on", onPosix, async () => {
    const { child, ended, told } = started(["4000", "2"]);
    child.stdout?.destroy();
    assert.equal(await ended, 0, told());
    assert.match(
      told(),
      /failed SentinelError: Cannot write the audit to standard output: .*(EPIPE|Broken pipe)/,
    );
  });
});
