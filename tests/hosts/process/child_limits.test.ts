/** What a child may do and use, read by itself or from outside: T46 and T48 of the test plan. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { createSpawner, type ProcessSpawner } from "../../../src/hosts/process/spawn.ts";
import type { Child, SpawnOptions } from "../../../src/ports/process.ts";
import { firstMessage, fixture, isRunning, KeptLog, textOf, until } from "./children.ts";

const MEBIBYTE = 1_048_576;
const HAS_PROC = existsSync("/proc/self/stat");

interface Shown {
  readonly environment: readonly string[];
  readonly cwd: string;
  readonly umask: string;
  readonly uid: number;
  readonly gainsPrivileges: boolean;
  readonly limits: Readonly<Record<string, readonly string[]>>;
}

describe("limits of children", { skip: !HAS_PROC }, () => {
  let spawner: ProcessSpawner;
  const log = new KeptLog();

  before(async () => {
    spawner = await createSpawner({ log });
  });

  after(() => spawner.close());

  async function show(changes: Partial<SpawnOptions>): Promise<Shown> {
    const child = spawner.spawn({ ...fixture("shows_itself"), ...changes });
    const { result } = await firstMessage<{ result: Shown }>(child.output);
    child.end();
    await child.exited;
    return result;
  }

  test("a child has what was configured, and nothing else", async () => {
    const shown = await show({ cwd: "/tmp", limits: { descriptors: 256, processes: 4000 } });
    assert.deepEqual(shown.environment, ["PATH=/usr/bin:/bin"]);
    assert.equal(shown.cwd, "/tmp");
    assert.equal(shown.umask, "0077");
    assert.equal(shown.uid, process.getuid?.());
    assert.equal(shown.gainsPrivileges, false);
    assert.deepEqual(shown.limits, {
      core: ["0", "0"],
      descriptors: ["256", "256"],
      processes: ["4000", "4000"],
    });
  });

  test("a program finds stdin, stdout and stderr open, and nothing else", async () => {
    // Started in the same way: what this test was itself started with is passed on by every program.
    const listing = { command: "ls", args: ["/proc/self/fd"], env: { PATH: "/usr/bin:/bin" } };
    const child = spawner.spawn({ name: "ls", ...listing });
    const found = (await textOf(child.output)).trim().split("\n").map(Number);
    await child.exited;
    // The listing's own is the lowest that was free.
    assert.deepEqual(found.filter((fd) => fd <= 3).sort(), [0, 1, 2, 3]);
    const inherited = execFileSync("ls", ["/proc/self/fd"]).toString().trim().split("\n").map(
      Number,
    );
    assert.deepEqual(found.filter((fd) => fd > 3 && !inherited.includes(fd)), []);
  });

  test("what the gateway makes after a child has the gateway's own mask", async () => {
    const mask = () => /^Umask:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    const before = mask();
    await show({});
    assert.equal(mask(), before);
  });

  test("descriptors beyond the gateway's own limit are not asked for", async () => {
    const [, , hard] = /^Max open files\s+(\d+)\s+(\d+)/m
      .exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    const { limits } = await show({ limits: { descriptors: 900_000_000 } });
    assert.deepEqual(limits["descriptors"], [hard, hard]);
  });

  test("a program that opens more files than it may is refused them, and lives", async () => {
    const child = spawner.spawn({ ...fixture("opens_files"), limits: { descriptors: 64 } });
    const { params } = await firstMessage<{ params: { code: string; opened: number } }>(
      child.output,
    );
    assert.equal(params.code, "EMFILE");
    assert.ok(params.opened < 64);
    child.kill("SIGKILL");
    await child.exited;
  });

  test("a group that holds more memory than it may is ended, and its exit says so", async () => {
    const most = 120 * MEBIBYTE;
    const modest = spawner.spawn({ ...fixture("hangs"), limits: { memory: 2 * 1024 * MEBIBYTE } });
    const hog: Child = spawner.spawn({ ...fixture("grows"), limits: { memory: most } });
    const { params } = await firstMessage<{ params: { pid: number } }>(hog.output);
    const exit = await hog.exited;
    assert.equal(exit.signal, "SIGKILL");
    assert.equal(exit.exceeded?.limit, "memory");
    assert.equal(exit.exceeded?.most, most);
    assert.ok((exit.exceeded?.used ?? 0) > most);
    await until("the grandchild that held it is gone", () => !isRunning(params.pid));
    assert.ok(isRunning(modest.pid as number));
    modest.kill("SIGKILL");
    assert.deepEqual(await modest.exited, { signal: "SIGKILL" });
  });

  test("nothing of it is said to be without effect", () => {
    assert.deepEqual(log.entries, []);
  });

  test("where nothing can bound a child it is started, and that is said once", async () => {
    const path = process.env["PATH"];
    process.env["PATH"] = "/nowhere";
    const told = new KeptLog();
    const bare = await createSpawner({ log: told }).finally(() => process.env["PATH"] = path);
    for (let start = 0; start < 2; start++) {
      const child = bare.spawn({ ...fixture("hangs"), limits: { descriptors: 64 } });
      child.kill("SIGKILL");
      await child.exited;
    }
    bare.close();
    assert.deepEqual(told.entries, [{
      event: "gateway.unprotected",
      fields: { part: "limits", reason: "there is no working prlimit" },
    }]);
  });

  test("running() names each child while it runs", async () => {
    const own = () => [...spawner.running()];
    const child = spawner.spawn(fixture("hangs"));
    assert.deepEqual(own(), [{ backend: "fixture", pid: child.pid }]);
    child.kill("SIGKILL");
    await child.exited;
    await until("it is forgotten", () => own().length === 0);
  });
});
