import assert from "node:assert/strict";
import { once } from "node:events";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { createSpawner, type ProcessSpawner } from "../../../src/hosts/process/spawn.ts";
import type { SpawnOptions } from "../../../src/ports/process.ts";
import { firstMessage, fixture, isRunning, KeptLog, textOf, until } from "./children.ts";

const CLOSE_ON_EXEC = 0o2000000;

interface Shown {
  readonly args: string[];
  readonly environment: string[];
  readonly descriptors: string[];
  readonly cwd: string;
  readonly pid: number;
}

/** Everything that means something to a shell, an option parser or a terminal. */
const HOSTILE = [
  "$(touch pwned)",
  "`touch pwned`",
  "; touch pwned #",
  "&& touch pwned",
  "| cat",
  "> pwned",
  "--",
  "-c",
  "--pdeathsig",
  "$PATH",
  "*",
  "~",
  "a b\tc",
  "two\nlines\r\n",
  "'\"\\",
  "",
  "é…𝄞",
  "\u001b[31m",
];

for (const launcher of ["auto", "none"] as const) {
  describe(`createSpawner() with launcher ${launcher}`, () => {
    let spawner: ProcessSpawner;
    let folder = "";
    const log = new KeptLog();

    before(async () => {
      spawner = await createSpawner({ log, launcher });
      folder = mkdtempSync(join(tmpdir(), "sentinel-spawn-"));
    });

    after(() => {
      spawner.close();
      rmSync(folder, { recursive: true });
    });

    /** Starts `shows_itself` and gives what it shows. */
    async function show(changes: Partial<SpawnOptions> = {}, ...args: string[]): Promise<Shown> {
      const child = spawner.spawn({ ...fixture("shows_itself", ...args), ...changes });
      const { result } = await firstMessage<{ result: Shown }>(child.output);
      child.end();
      assert.equal(result.pid, child.pid);
      await child.exited;
      return result;
    }

    test("arguments arrive literally, whatever a shell would make of them", async () => {
      const { args } = await show({ cwd: folder }, ...HOSTILE);
      assert.deepEqual(args, HOSTILE);
      assert.deepEqual(readdirSync(folder), []);
    });

    test("the environment is exactly what was given, of the gateway's own nothing", async () => {
      const env = { PATH: "/usr/bin:/bin", EMPTY: "", "odd-name.1": "$(x)\n'", LANG: "C" };
      // Node and Deno pass this one on by themselves.
      const before = process.env["NODE_V8_COVERAGE"];
      process.env["NODE_V8_COVERAGE"] = folder;
      const { environment } = await show({ env }).finally(() => {
        if (before === undefined) delete process.env["NODE_V8_COVERAGE"];
        else process.env["NODE_V8_COVERAGE"] = before;
      });
      const expected = Object.entries(env).map(([name, value]) => `${name}=${value}`);
      assert.deepEqual(environment.sort(), expected.sort());
    });

    test("nothing the gateway has open reaches the child but stdin, stdout and stderr", async () => {
      const startedWith = descriptors((flags) => (flags & CLOSE_ON_EXEC) === 0);
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const other = spawner.spawn(fixture("hangs"));
      const open = descriptors(() => true).difference(startedWith);
      assert.ok(open.size >= 4, [...open].join());
      const shown = await show();
      const beyond = shown.descriptors.map((link) => link.split(" ")).filter(([fd]) =>
        Number(fd) > 2
      );
      assert.deepEqual(beyond.filter(([, target = ""]) => open.has(target)), []);
      server.close();
      other.kill("SIGKILL");
      await other.exited;
    });

    test("the working directory is the one that was asked for", async () => {
      const { cwd } = await show({ cwd: folder });
      assert.equal(cwd.endsWith(folder), true);
    });

    test("stdout and stderr are apart, and both end with the process", async () => {
      const script = "echo out; echo err >&2; cat";
      const child = spawner.spawn(shell(script));
      await child.write("in\n");
      child.end();
      const [out, err, exit] = await Promise.all([
        textOf(child.output),
        textOf(child.errors),
        child.exited,
      ]);
      assert.deepEqual({ out, err, exit }, { out: "out\nin\n", err: "err\n", exit: { code: 0 } });
    });

    for (
      const [how, script, exit] of [
        ["exit code", "exit 137", { code: 137 }],
        ["signal", "kill -SEGV $$", { signal: "SIGSEGV" }],
      ] as const
    ) {
      test(`the ${how} of the command itself is reported`, async () => {
        const child = spawner.spawn(shell(script));
        assert.deepEqual(await child.exited, exit);
      });
    }

    test("a program that is missing or not a program is a failure, never an exception", async () => {
      writeFileSync(join(folder, "plain"), "");
      writeFileSync(join(folder, "lost"), "#!/no/such/interpreter\n", { mode: 0o755 });
      const failure = async (command: string) => {
        const child = spawner.spawn({ ...fixture("hangs"), command });
        await child.write("lost");
        child.end();
        if (child.pid === undefined) child.kill("SIGTERM");
        assert.equal(await textOf(child.output), "");
        return await child.exited;
      };
      assert.match((await failure("no-such-program")).failure ?? "", /^command not found/);
      assert.match((await failure(join(folder, "nope"))).failure ?? "", /^command not found/);
      assert.match((await failure(join(folder, "plain"))).failure ?? "", /^no permission/);
      assert.match((await failure(folder)).failure ?? "", /^no permission/);
      const lost = await failure(join(folder, "lost"));
      assert.ok(lost.code === 127 || lost.failure?.includes("ENOENT"), JSON.stringify(lost));
      rmSync(join(folder, "plain"));
      rmSync(join(folder, "lost"));
    });

    test("a NUL character anywhere is refused before anything starts", async () => {
      const good = fixture("hangs");
      const bad: [string, Partial<SpawnOptions>][] = [
        ["the command", { command: "ca\0t" }],
        ["argument 2", { args: ["fine", "a\0b"] }],
        ["a variable of the environment", { env: { A: "a\0b" } }],
        ["a variable of the environment", { env: { "A\0B": "" } }],
        ["the working directory", { cwd: "/\0" }],
      ];
      for (const [what, changes] of bad) {
        const child = spawner.spawn({ ...good, ...changes });
        assert.equal(child.pid, undefined);
        assert.deepEqual(await child.exited, { failure: `${what} contains a NUL character` });
      }
    });

    test("arguments beyond what the system takes are a failure or an exit, never an exception", async () => {
      const child = spawner.spawn(fixture("hangs", "x".repeat(3_000_000)));
      const { failure, code } = await child.exited;
      assert.ok(failure?.includes("E2BIG") || (code !== undefined && code > 0));
    });

    test("bytes written after the end of the process are lost without an error", async () => {
      const child = spawner.spawn(shell("exit 0"));
      await child.write("a");
      await child.exited;
      for (let write = 0; write < 10; write++) await child.write("x".repeat(100_000));
      child.end();
      child.kill("SIGKILL");
    });

    test("write() tells when the pipe is full and when it has room again", async () => {
      const child = spawner.spawn(shell("sleep 0.3; cat >/dev/null"));
      let full: void | Promise<void> = undefined;
      for (let write = 0; write < 100 && full === undefined; write++) {
        full = child.write("x".repeat(65_536));
      }
      assert.ok(full instanceof Promise);
      await full;
      child.end();
      assert.deepEqual(await child.exited, { code: 0 });
    });

    test("a write that waits is over when the process ends", async () => {
      const child = spawner.spawn(shell("sleep 60"));
      const full = child.write("x".repeat(1_000_000));
      child.kill("SIGKILL");
      await full;
      assert.deepEqual(await child.exited, { signal: "SIGKILL" });
    });

    test("what a process leaves of its group is killed when it leaves by itself", async () => {
      const child = spawner.spawn(fixture("leaves_family"));
      const { params } = await firstMessage<{ params: { pid: number } }>(child.output);
      assert.ok(isRunning(params.pid));
      child.end();
      assert.deepEqual(await child.exited, { code: 0 });
      await until("the grandchild is gone", () => !isRunning(params.pid));
    });

    test("after SIGTERM the rest of the group has time until SIGKILL", async () => {
      const file = join(folder, "saved");
      const child = spawner.spawn(fixture("takes_its_time", file));
      await firstMessage(child.output);
      child.kill("SIGTERM");
      assert.deepEqual(await child.exited, { signal: "SIGTERM" });
      assert.equal(readFileSync(file, "utf8"), "saved");
      rmSync(file);
    });

    test("SIGKILL ends the time of the group whose leader has gone", async () => {
      const child = spawner.spawn(fixture("family", "mortal"));
      const { params } = await firstMessage<{ params: { pid: number } }>(child.output);
      child.kill("SIGTERM");
      await until("the leader is gone", () => !isRunning(child.pid as number));
      assert.ok(isRunning(params.pid));
      child.kill("SIGKILL");
      assert.deepEqual(await child.exited, { signal: "SIGTERM" });
      await until("the grandchild is gone", () => !isRunning(params.pid));
    });

    test("close() kills what still runs", async () => {
      const own = await createSpawner({ log, launcher });
      const child = own.spawn(fixture("hangs"));
      own.close();
      assert.deepEqual(await child.exited, { signal: "SIGKILL" });
    });

    test("inherited() gives variables of the gateway", () => {
      assert.equal(spawner.inherited("PATH"), process.env["PATH"]);
      assert.equal(spawner.inherited("NO_SUCH_VARIABLE"), undefined);
    });

    test("nothing was reported about guard or record", () => {
      assert.deepEqual(log.entries, []);
    });
  });
}

function shell(script: string): SpawnOptions {
  return { name: "shell", command: "sh", args: ["-c", script], env: { PATH: "/usr/bin:/bin" } };
}

/** What descriptors of this process with such flags lead to: files, sockets and pipes, each with its inode. */
function descriptors(wanted: (flags: number) => boolean): Set<string> {
  return new Set(
    readdirSync("/proc/self/fd").flatMap((fd) => {
      try {
        const info = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
        const target = readlinkSync(`/proc/self/fd/${fd}`);
        const flags = Number.parseInt(/flags:\s+(\d+)/.exec(info)?.[1] ?? "0", 8);
        return wanted(flags) && /^(?:socket|pipe):/.test(target) ? [target] : [];
      } catch {
        return []; // the one that lists the folder
      }
    }),
  );
}
