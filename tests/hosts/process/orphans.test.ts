/** What is left of children when the gateway is killed with SIGKILL, and what the next start does. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { machine, startTime } from "../../../src/hosts/process/process_table.ts";
import { createSpawner } from "../../../src/hosts/process/spawn.ts";
import { proves } from "../../support/proves.ts";
import { firstMessage, fixture, isRunning, KeptLog, until } from "./children.ts";

interface Family {
  readonly child: number;
  readonly grandchild: number;
}

const GATEWAY = fileURLToPath(new URL("gateway.ts", import.meta.url));
const DENO_FLAGS = ["run", "--allow-all", "--no-check"];

describe("children of a killed gateway", () => {
  let stateDir = "";
  const pids: number[] = [];

  before(() => {
    stateDir = mkdtempSync(join(tmpdir(), "sentinel-orphans-"));
  });

  after(() => {
    for (const pid of pids.filter(isRunning)) process.kill(pid, "SIGKILL");
    rmSync(stateDir, { recursive: true });
  });

  /** A gateway on the runtime of this test, with one child and one grandchild. */
  async function start(
    launcher: "auto" | "none",
  ): Promise<Family & { readonly gateway: ChildProcess }> {
    const flags = "Deno" in globalThis ? DENO_FLAGS : [];
    const gateway = spawn(process.execPath, [...flags, GATEWAY, "family", launcher, stateDir], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    pids.push(gateway.pid as number);
    const family = await firstMessage<Family>(gateway.stdout);
    pids.push(family.child, family.grandchild);
    return { ...family, gateway };
  }

  async function kill(gateway: ChildProcess): Promise<void> {
    // Deno's ChildProcess.kill() does nothing the second time.
    process.kill(gateway.pid as number, "SIGKILL");
    await until("the gateway is gone", () => !isRunning(gateway.pid as number));
  }

  const records = () =>
    existsSync(join(stateDir, "children")) ? readdirSync(join(stateDir, "children")) : [];

  proves(
    "G8.5",
    "child and grandchild die with it, though they ignore SIGTERM and stdin",
    async () => {
      const { gateway, child, grandchild } = await start("auto");
      assert.ok(isRunning(child) && isRunning(grandchild));
      await kill(gateway);
      await until("both are gone", () => !isRunning(child) && !isRunning(grandchild));
    },
  );

  test("a guard that is killed is replaced, and the new one knows the children", async () => {
    const { gateway, child, grandchild } = await start("auto");
    const guard = () => childrenOf(gateway.pid as number).find((pid) => pid !== child);
    const first = guard();
    assert.ok(first !== undefined);
    process.kill(first, "SIGKILL");
    await until("there is a new guard", () => ![undefined, first].includes(guard()));
    await kill(gateway);
    await until("both are gone", () => !isRunning(child) && !isRunning(grandchild));
  });

  test("the child dies without a guard too, where there is a launcher", async () => {
    const { launcher } = await createSpawner({ log: new KeptLog() });
    const { gateway, child } = await start("auto");
    const guard = childrenOf(gateway.pid as number).find((pid) => pid !== child) as number;
    process.kill(gateway.pid as number, "SIGSTOP"); // so that it cannot replace the guard
    process.kill(guard, "SIGKILL");
    await until("the guard is gone", () => !isRunning(guard));
    await kill(gateway);
    if (launcher === undefined) assert.ok(isRunning(child));
    else await until("the child is gone", () => !isRunning(child));
  });

  test("the guard does not hear what a terminal sends to stop a gateway", async () => {
    const { gateway, child } = await start("auto");
    const guard = childrenOf(gateway.pid as number).find((pid) => pid !== child) as number;
    for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"] as const) process.kill(guard, signal);
    await kill(gateway);
    await until("guard and child are gone", () => !isRunning(guard) && !isRunning(child));
  });

  test("without launcher and guard the next start finds them and ends the group", async () => {
    const { gateway, child, grandchild } = await start("none");
    await kill(gateway);
    assert.ok(isRunning(child) && isRunning(grandchild));
    const log = new KeptLog();
    const next = await createSpawner({ log, stateDir });
    assert.equal(await next.sweepStrays(), 1);
    assert.deepEqual(log.entries, [{
      event: "backend.stray",
      fields: { backend: "fixture", pid: child },
    }]);
    await until("both are gone", () => !isRunning(child) && !isRunning(grandchild));
    assert.equal(await next.sweepStrays(), 0);
    assert.deepEqual(records(), []);
    next.close();
  });

  test("children of another gateway that lives are left alone", async () => {
    const { gateway, child } = await start("none");
    const next = await createSpawner({ log: new KeptLog(), stateDir });
    const own = next.spawn(fixture("hangs"));
    assert.equal(records().length, 2);
    assert.equal(await next.sweepStrays(), 0);
    assert.ok(isRunning(child) && isRunning(own.pid as number));
    own.kill("SIGKILL");
    await own.exited;
    await until("the own record is gone", () => records().length === 1);
    next.close();
    await kill(gateway);
    const last = await createSpawner({ log: new KeptLog(), stateDir });
    assert.equal(await last.sweepStrays(), 1);
    await until("the child is gone", () => !isRunning(child));
    last.close();
  });

  test("a pid that belongs to another process by now is left alone", async () => {
    const spawner = await createSpawner({ log: new KeptLog(), stateDir, launcher: "none" });
    const innocent = spawner.spawn(fixture("hangs"));
    const pid = innocent.pid as number;
    pids.push(pid);
    const start = startTime(pid) as string;
    const gone = { pid: process.pid, start: "1" };
    mkdirSync(join(stateDir, "children"), { recursive: true });
    const forge = (name: string, record: unknown) =>
      writeFileSync(join(stateDir, "children", name), JSON.stringify(record));
    forge("a.json", {
      machine: machine(),
      gateway: gone,
      children: [{ pid, start: `${start}0`, name: "x" }],
    });
    forge("b.json", {
      machine: "another boot",
      gateway: gone,
      children: [{ pid, start, name: "x" }],
    });
    forge("c.json", {
      machine: machine(),
      gateway: gone,
      children: [{ pid: -1, start, name: "x" }],
    });
    writeFileSync(join(stateDir, "children", "d.json"), '{"machine":');
    assert.equal(await spawner.sweepStrays(), 0);
    assert.ok(isRunning(pid));
    assert.equal(records().length, 1);
    innocent.kill("SIGKILL");
    await innocent.exited;
    spawner.close();
  });

  test("a record that cannot be written is told and holds nothing up", async () => {
    const blocked = join(stateDir, "a-file");
    writeFileSync(blocked, "");
    const log = new KeptLog();
    const spawner = await createSpawner({ log, stateDir: blocked });
    const child = spawner.spawn(fixture("hangs"));
    assert.ok(child.pid !== undefined);
    assert.equal(log.entries[0]?.event, "gateway.unprotected");
    assert.equal(await spawner.sweepStrays(), 0);
    child.kill("SIGKILL");
    await child.exited;
    spawner.close();
  });
});

/** Pids of the direct children of a process. */
function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    const children = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8");
    return children.split(" ").filter((text) => text !== "").map(Number);
  });
}
