/** Processes of a backend that fail, hog or are several: T41–T43, T47, T48 of the test plan. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { SentinelError } from "../../../src/contract/mod.ts";
import type { Link, LinkReply } from "../../../src/core/backends/link.ts";
import { isRunning, until } from "../../hosts/process/children.ts";
import { startCore } from "../../support/core.ts";
import { HttpSession } from "../../support/http_session.ts";
import { executable, REPOSITORY } from "../../support/runtime.ts";
import { drive, type Driven, toolCall } from "./backend_driver.ts";

const CHILDREN = join(REPOSITORY, "tests/fixtures/children");
const QUICK = { restart: { base: "10ms", max: "40ms" }, stop: { grace: "100ms" } };

function worker(extra: Record<string, unknown> = {}): Record<string, unknown> {
  return { command: executable("node"), args: [join(CHILDREN, "worker.mjs")], ...QUICK, ...extra };
}

function shell(script: string, extra: Record<string, unknown> = {}): Record<string, unknown> {
  return { command: "/bin/sh", args: ["-c", script], ...QUICK, ...extra };
}

describe("a backend whose process fails", () => {
  let folder = "";

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "sentinel-processes-"));
  });

  after(() => rmSync(folder, { recursive: true }));

  /** How often a program was started that writes a line into this file when it begins. */
  const startsIn = (file: string) => readFileSync(file, "utf8").length;

  it("always at its start is started six times, with and without the question, and no more", async () => {
    const file = join(folder, "starts");
    const crash = `printf x >> ${file}; sleep 0.05; echo no >&2; exit 3`;
    await using driven = await drive(shell(crash));
    await until("fatal", () => driven.backend.state === "fatal");
    assert.equal(startsIn(file), 6);
    const { lastError, restarts, nextRetry } = driven.backend.status(0);
    assert.match(lastError ?? "", /exit code 3; stderr: no/);
    assert.deepEqual([restarts, nextRetry], [4, undefined]);
    assert.match(JSON.stringify(driven.events("backend.fatal")), /exit code 3; stderr: no/);
    await assert.rejects(driven.link(), (cause: SentinelError) => {
      assert.equal(cause.code, "CIRCUIT_OPEN");
      assert.match(cause.details.reason ?? "", /exit code 3; stderr: no/);
      return true;
    });
    writeFileSync(file, "");
    driven.backend.reconnect();
    await until("another try", () => startsIn(file) > 0);
  });

  it("because it cannot be started ends in fatal, and says why", async () => {
    const plain = join(folder, "plain");
    writeFileSync(plain, "");
    const cases: [string, RegExp][] = [["/no/such/program", /command not found/], [
      plain,
      /no permission to run/,
    ]];
    for (const [command, why] of cases) {
      await using driven = await drive({ command, ...QUICK });
      await until("fatal", () => driven.backend.state === "fatal");
      assert.match(driven.backend.status(0).lastError ?? "", why);
      assert.equal(driven.events("backend.failed").length, 5);
    }
  });

  it("in its handshake two hundred times leaves no process and no descriptor", async () => {
    const descriptors = () => readdirSync("/proc/self/fd").length;
    const failing = [
      "exit 1",
      "read line; echo garbage; exit 1",
      'while read line; do n=$((n+1)); echo "{\\"jsonrpc\\":\\"2.0\\",\\"id\\":$n,\\"result\\":{\\"protocolVersion\\":\\"1999-01-01\\"}}"; done',
      "yes garbage",
      "head -c 5000000 /dev/zero; exit 1",
      "exec <&-; exec sleep 60 >&-",
    ];
    const file = join(folder, "pids");
    const cycle = async (script: string) => {
      await using driven = await drive(
        shell(`echo $$ >> ${file}; ${script}`, { stop: { grace: "0s" } }),
      );
      await until("a failure", () => driven.events("backend.failed").length > 0);
    };
    const cycles = (count: number) =>
      Promise.all(Array.from({ length: count }, (_, n) => cycle(failing[n % 6] ?? "")));
    await cycles(12);
    const before = descriptors();
    for (let round = 0; round < 17; round++) await cycles(12);
    await until("the pipes are closed", () => descriptors() <= before + 3);
    const pids = readFileSync(file, "utf8").trim().split("\n").map(Number);
    assert.ok(pids.length >= 200);
    assert.deepEqual(pids.filter(isRunning), []);
  });

  it("with calls under way says so to each of them, and comes back", async () => {
    await using driven = await drive(worker());
    await driven.settled;
    const link = await driven.link();
    const calls = Array.from({ length: 100 }, () => link.request(toolCall("wait")).reply);
    const failed = Promise.allSettled(calls);
    process.kill(driven.backend.status(0).pid as number, "SIGKILL");
    for (const outcome of await failed) {
      assert.equal(outcome.status, "rejected");
      const { code, details } = (outcome as PromiseRejectedResult).reason as SentinelError;
      assert.deepEqual([code, details.executed, details.reason], [
        "BACKEND_LOST",
        "unknown",
        "signal SIGKILL",
      ]);
    }
    await until("it is back", () => driven.backend.state === "ready");
    assert.ok("result" in await driven.call("pid"));
  });

  it("because it takes too much memory is named so in error, event and status", async () => {
    await using driven = await drive(worker({ limits: { memory: "160MiB" } }));
    await driven.settled;
    const reason = await (await driven.link()).request(toolCall("grow", { timeoutMs: 60_000 }))
      .reply.then(() => "", (cause: SentinelError) => cause.details.reason ?? "");
    assert.match(reason, /^ended by the memory limit: \d+ MiB used of 160 MiB/);
    const [event] = driven.events("backend.limit_exceeded");
    assert.deepEqual([event?.["backend"], event?.["limit"], event?.["most"]], [
      "one",
      "memory",
      160 * 1_048_576,
    ]);
    await until("it is back", () => driven.backend.state === "ready");
    assert.match(driven.backend.status(0).lastError ?? "", /ended by the memory limit/);
  });
});

describe("a gateway whose backend takes too much memory", () => {
  it("says so to the caller, counts the restart, and answers again", async () => {
    const core = await startCore({ backends: { hog: worker({ limits: { memory: "160MiB" } }) } });
    try {
      const isReady = () => core.core.control.backend("hog", 0).state === "ready";
      await until("it is ready", isReady);
      const session = await HttpSession.open(core.core.fetch);
      const { error } = await session.call("hog__grow");
      assert.deepEqual([error.data.code, error.data.executed], ["BACKEND_LOST", "unknown"]);
      assert.match(error.data.reason, /^ended by the memory limit/);
      await until("it is back", isReady);
      const restarts = core.telemetry.read("sentinel_backend_restarts_total")
        .filter(({ value }) => value > 0).map(({ labels }) => labels["reason"]);
      assert.deepEqual(restarts, ["memory"]);
      assert.ok("result" in await session.call("hog__pid"));
    } finally {
      await core.stop();
    }
  });
});

describe("a backend with several processes", () => {
  const pidOf = (reply: LinkReply) =>
    Number("result" in reply ? JSON.parse(reply.result).content[0].text : NaN);

  async function three(): Promise<Driven> {
    const driven = await drive(worker({ instances: 3 }));
    await driven.settled;
    await until("all are open", () => driven.backend.status(0).links === 3);
    return driven;
  }

  it("gives each call to the one that answers the fewest", async () => {
    await using driven = await three();
    const busy = [];
    for (let call = 0; call < 2; call++) {
      busy.push((await driven.link()).request(toolCall("wait", { timeoutMs: 60_000 })));
    }
    const idle = await Promise.all([1, 2, 3].map(async () => pidOf(await driven.call("pid"))));
    assert.equal(new Set(idle).size, 1);
    assert.equal(driven.backend.inFlight, 2);
    for (const { reply, cancel } of busy) {
      reply.catch(() => {});
      cancel("enough");
    }
    const links = new Set();
    for (let call = 0; call < 3; call++) {
      const link = await driven.link();
      links.add(link);
      link.request(toolCall("wait", { timeoutMs: 60_000 })).reply.catch(() => {});
    }
    assert.equal(links.size, 3);
  });

  it("loses with one only the calls of that one, and starts it anew", async () => {
    await using driven = await three();
    const pid = async () => pidOf(await driven.call("pid"));
    for (const victimIsMain of [false, true]) {
      const main = driven.backend.status(0).pid as number;
      const found = new Set<Link>();
      for (let call = 0; call < 20 && found.size < 3; call++) {
        const link = await driven.link();
        found.add(link);
        link.request(toolCall("wait", { timeoutMs: 60_000 })).reply.catch(() => {});
      }
      const links = [...found];
      const pids: number[] = [];
      for (const link of links) pids.push(pidOf(await link.request(toolCall("pid")).reply));
      assert.equal(new Set(pids).size, 3);
      const victim = pids.findIndex((found) => (found === main) === victimIsMain);
      const witness = pids.findIndex((_, index) => index !== victim);
      const kept = links[witness]?.request(toolCall("wait", { timeoutMs: 60_000 }));
      let lost = false;
      kept?.reply.catch(() => lost = true);
      process.kill(pids[victim] as number, "SIGKILL");
      await until("it is noticed", () => links[victim]?.open === false);
      // Answered at once, whichever one is away.
      assert.ok(await pid() > 0);
      await until("it is back", () => driven.backend.status(0).links === 3);
      assert.equal(lost, false);
      assert.ok(isRunning(pids[witness] as number));
    }
  });

  it("ends all of them with itself", async () => {
    const driven = await three();
    const pids = [];
    for (let call = 0; call < 3; call++) {
      const link = await driven.link();
      link.request(toolCall("wait", { timeoutMs: 60_000 })).reply.catch(() => {});
      pids.push(pidOf(await link.request(toolCall("pid")).reply));
    }
    await driven[Symbol.asyncDispose]();
    assert.equal(new Set(pids).size, 3);
    assert.deepEqual(pids.filter(isRunning), []);
  });
});
