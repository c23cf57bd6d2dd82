import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { RunningProgram } from "../support/running_program.ts";
import { commandOf } from "../support/runtime.ts";
import { type Setup, setUp, shellBackend } from "./doctor_setup.ts";
import { until } from "./until.ts";

const TIMEOUT = { timeout: 60_000 };
const WAIT_MS = 20_000;
const SILENT = `${shellBackend("one", "echo $$ > pid; exec sleep 60")}cwd = "."\n`;

/** `doctor` as a process of its own, while its only backend says nothing. */
async function startDoctor({ folder }: Setup): Promise<RunningProgram> {
  const words = ["doctor", "-c", join(folder, "sentinel.toml")];
  const env = { ...process.env, XDG_STATE_HOME: join(folder, "state") };
  const program = new RunningProgram(commandOf("cli/main.ts", words), env);
  await until(() => assert.ok(childOf(folder) > 1), WAIT_MS);
  return program;
}

function childOf(folder: string): number {
  return Number(readFileSync(join(folder, "pid"), "utf8"));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("doctor as a process", () => {
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    test(`${signal}, what it has started is gone`, TIMEOUT, async () => {
      await using place = setUp(SILENT);
      const program = await startDoctor(place);

      process.kill(program.pid, signal);
      const exit = await program.exited;

      assert.equal(exit.code, code);
      assert.equal(program.stdout, "");
      await until(() => assert.ok(!isRunning(childOf(place.folder))), WAIT_MS);
    });
  }
});
