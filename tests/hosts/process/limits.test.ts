/** Starting children where the machine or the runtime refuses something. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isRunning, NODE, textOf, until } from "./children.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const DENO = `${ROOT}node_modules/.bin/deno`;
const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

async function run<T>(command: string, args: string[]): Promise<T> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  return JSON.parse(await textOf(child.stdout)) as T;
}

describe("createSpawner() within limits", () => {
  test("no descriptors left is a failure that says so, and the gateway goes on", async () => {
    const flags = "Deno" in globalThis ? ["run", "--allow-all", "--no-check"] : [];
    const limited = ["-c", 'ulimit -n 256; exec "$@"', "sh"];
    const exit = await run("sh", [...limited, process.execPath, ...flags, script("exhausted.ts")]);
    assert.match(
      (exit as { failure: string }).failure,
      /too many open files in the gateway \(EMFILE\)/,
    );
  });

  test("Deno with a list of allowed programs starts children and ends their groups", async () => {
    const flags = [
      "--no-prompt",
      "--no-check",
      "--allow-env",
      `--allow-read=${ROOT}`,
      `--allow-run=${NODE},kill`,
    ];
    const seen = await run<Record<string, unknown>>(DENO, [
      "run",
      ...flags,
      script("restricted.ts"),
    ]);
    assert.deepEqual(seen["exit"], { signal: "SIGKILL" });
    await until("the grandchild is gone", () => !isRunning(seen["grandchild"] as number));
    assert.match(JSON.stringify(seen["unknown"]), /no-such-program/);
    assert.equal(seen["launcher"], "none");
    const [entry, ...more] = seen["log"] as unknown[];
    assert.match(
      JSON.stringify(entry),
      /"gateway.unprotected",{"part":"guard","reason":"Requires run access/,
    );
    assert.deepEqual(more, []);
  });
});
