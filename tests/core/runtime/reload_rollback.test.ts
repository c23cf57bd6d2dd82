import assert from "node:assert/strict";
import { kill } from "node:process";
import { after, afterEach, before, describe, it } from "node:test";
import { setImmediate, setTimeout } from "node:timers";
import type { Operation } from "../../../src/contract/mod.ts";
import type { MetricName } from "../../../src/contract/metrics.ts";
import { type RunningServer, startEchoServer } from "../../support/echo_server.ts";
import { type ConfigInput, fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { eventsOf, HttpSession } from "../../support/http_session.ts";

const ACT = { actor: { name: "oncall", scope: "admin" } } as const;
const WATCH = { actor: { name: "file watch" } } as const;
const GRACE_MS = 10_000;
const LIMIT = { timeout: 20_000 };
/** Nobody listens there. */
const NOWHERE = "http://127.0.0.1:9/mcp";
/** Time runs ahead of what really happens: a ping would seem late. */
const UNWATCHED = { health: { interval: "1h" } };

function child(extra: Readonly<Record<string, unknown>> = {}) {
  return fixtureBackend({ ...UNWATCHED, ...extra });
}

function remote(url: string, extra: Readonly<Record<string, unknown>> = {}) {
  return { url, ...UNWATCHED, ...extra };
}

describe("a reload that may be taken back", LIMIT, () => {
  let echo: RunningServer;
  let gateway: TestCore;
  let clock: FakeClock;
  before(async () => {
    echo = await startEchoServer();
  });
  after(() => echo.close());
  afterEach(() => gateway.stop());

  async function start(input: ConfigInput): Promise<HttpSession> {
    clock = new FakeClock();
    gateway = await startCore(input, { clock });
    const session = await HttpSession.open(gateway.core.fetch);
    await session.request("tools/list");
    return session;
  }

  /** Time goes on by itself, so that attempts to connect and their pauses come to an end. */
  async function reload(input: unknown, act: typeof ACT | typeof WATCH = ACT) {
    gateway.source.write(input);
    return await gateway.core.control.reload(act);
  }

  /** Moves time in small steps, with time for what really happens between them. */
  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 250) {
      await clock.advance(Math.min(left, 250));
      await new Promise(setImmediate);
    }
  }

  /** Waits for what really happens; the test's own limit ends a wait in vain. */
  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise(setImmediate);
  }

  function isDown(): boolean {
    return backend("fix").state === "backoff";
  }

  function backend(name: string) {
    return gateway.core.control.backend(name, 0);
  }

  /** Until a process that was asked to end has ended, without hurrying it. */
  async function gone(process: number): Promise<void> {
    while (isAlive(process)) {
      await clock.advance(20);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  function isAlive(process: number): boolean {
    try {
      return kill(process, 0);
    } catch {
      return false;
    }
  }

  function read(metric: MetricName, labels: Readonly<Record<string, string>> = {}): number {
    const found = gateway.telemetry.read(metric).find((entry) =>
      Object.entries(labels).every(([name, value]) => entry.labels[name] === value)
    );
    return found?.value ?? 0;
  }

  function operations(kind: Operation["operation"]): Operation[] {
    return gateway.journal.entries.flatMap((entry) =>
      entry.kind === "operation.outcome" && entry.operation.operation === kind
        ? [entry.operation]
        : []
    );
  }

  function rolledBack(): number {
    return gateway.log.filter(({ event }) => event === "config.rolled_back").length;
  }

  /** A backend that ran, and what it was changed to does not. */
  async function spoil(): Promise<{ session: HttpSession; process: number; hash: string }> {
    const session = await start({ backends: { fix: child(), a: remote(echo.url) } });
    const { hash } = gateway.core.control.status().config;
    const process = backend("fix").pid as number;
    const answer = await reload({ backends: { fix: remote(NOWHERE), a: remote(echo.url) } });
    assert.equal(answer.outcome, "partial");
    assert.notEqual(gateway.core.control.status().config.hash, hash);
    return { session, process, hash };
  }

  it("is taken back when a backend that answered does not any more; nothing is started for it", async () => {
    const { session, process, hash } = await spoil();
    const waiting = session.call("a__echo", { text: "meanwhile" });
    assert.equal((await session.call("fix__echo", { a: 1 }))["error"].data.backend, "fix");
    await pass(GRACE_MS - 1000);
    assert.equal(rolledBack(), 0);
    assert.ok(isAlive(process), "what was replaced runs on");
    await pass(1000 + GRACE_MS);
    assert.equal(rolledBack(), 1);
    assert.equal(backend("fix").pid, process);
    assert.equal((await session.call("fix__echo", { a: 1 }))["error"], undefined);
    assert.equal((await waiting)["error"], undefined);
    const { config, state, reasons } = gateway.core.control.status();
    assert.deepEqual([config.hash, config.loadedBy, state], [hash, "grace check", "degraded"]);
    assert.match(reasons.join(), /^configuration: .*was taken back: backend "fix" is backoff/);
    assert.equal(read("sentinel_config_reloads_total", { result: "rolled_back" }), 1);
    assert.equal(read("sentinel_config_last_reload_successful"), 0);
    const [operation] = operations("roll_back");
    assert.equal(operation?.actor.name, "grace check");
    assert.equal(operation?.outcome, "applied");
    assert.match(operation?.reason ?? "", /backend "fix"/);
  });

  it("a call that was under way at what was replaced is answered by it", async () => {
    const session = await start({ backends: { fix: child() } });
    const waiting = session.send("tools/call", { name: "fix__wait", arguments: {} }, "w");
    await until(() => gateway.core.inFlight() === 1);
    await reload({ backends: { fix: remote(NOWHERE) } });
    await pass(2 * GRACE_MS);
    assert.equal(rolledBack(), 1);
    assert.equal(gateway.core.inFlight(), 1);
    await session.notify("notifications/cancelled", { requestId: "w" });
    await waiting;
    assert.equal((await session.call("fix__echo", { a: 1 }))["error"], undefined);
  });

  it("what was subscribed meanwhile is subscribed at what comes back", async () => {
    const session = await start({ backends: { fix: child() } });
    const process = backend("fix").pid;
    const told: string[] = [];
    void (async () => {
      for await (const { data } of eventsOf(await session.get())) told.push(data);
    })();
    const updates = () => told.filter((data) => data.includes("resources/updated")).length;
    const slow = { base: "1h", max: "1h" };
    await reload({ backends: { fix: child({ env: { CHANGED: "1" }, restart: slow }) } });
    await session.request("resources/subscribe", { uri: "fixture://one" });
    await until(() => updates() === 1);
    // Its first new start is immediate, the second one waits for long.
    for (const _ of [1, 2]) {
      const own = backend("fix").pid as number;
      kill(own, "SIGKILL");
      await until(() => !isAlive(own) && (backend("fix").pid ?? own) !== own || isDown());
    }
    const before = updates();
    await pass(2 * GRACE_MS);
    assert.equal(rolledBack(), 1);
    assert.equal(backend("fix").pid, process);
    await until(() => updates() > before);
  });

  it("stays when everything answers; what it replaced ends then", async () => {
    const session = await start({ backends: { fix: child() } });
    const old = backend("fix").pid as number;
    await reload({ backends: { fix: child({ env: { CHANGED: "1" } }) } });
    await pass(GRACE_MS - 250);
    assert.ok(isAlive(old));
    const replacement = backend("fix").pid;
    assert.notEqual(replacement, old);
    await pass(1000);
    await gone(old);
    assert.equal(rolledBack(), 0);
    assert.equal(backend("fix").pid, replacement);
    assert.equal((await session.call("fix__echo", { a: 1 }))["error"], undefined);
    assert.equal(gateway.core.control.state, "ready");
  });

  it("a new backend that does not come up is no reason", async () => {
    await start({ backends: { a: remote(echo.url) } });
    const answer = await reload({ backends: { a: remote(echo.url), bad: remote(NOWHERE) } });
    assert.equal(answer.outcome, "partial");
    await pass(3 * GRACE_MS);
    assert.equal(rolledBack(), 0);
    assert.ok(gateway.core.config().backends["bad"] !== undefined);
  });

  it("a backend that was down before is no reason", async () => {
    await start({ backends: { a: remote(echo.url), bad: remote(NOWHERE) } });
    await reload({ backends: { a: remote(echo.url), bad: remote(`${NOWHERE}/2`) } });
    await pass(3 * GRACE_MS);
    assert.equal(rolledBack(), 0);
  });

  it("is taken back when no backend answers any more, also under other names", async () => {
    const session = await start({ backends: { fix: child() } });
    const process = backend("fix").pid;
    await reload({ backends: { renamed: remote(NOWHERE) } });
    await pass(2 * GRACE_MS);
    assert.equal(rolledBack(), 1);
    assert.equal(backend("fix").pid, process);
    assert.equal((await session.call("fix__echo", { a: 1 }))["error"], undefined);
  });

  it("a configuration without backends is meant so", async () => {
    await start({ backends: { a: remote(echo.url) } });
    await reload({ backends: {} });
    await pass(2 * GRACE_MS);
    assert.equal(rolledBack(), 0);
  });

  it("is taken back at once when a backend is given up", async () => {
    await start({ backends: { fix: child(), a: remote(echo.url) } });
    const began = clock.monotonic();
    const restart = { base: "1ms", max: "1ms" };
    const hopeless = child({ args: ["-e", "process.exit(3)"], restart });
    await reload({
      backends: { fix: hopeless, a: remote(echo.url) },
      reload: { grace: "1h" },
    });
    // It is given up for failures that follow each other: our time may not run ahead of its attempts.
    while (rolledBack() === 0) {
      await clock.advance(10);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.ok(clock.monotonic() - began < GRACE_MS);
    assert.equal(backend("fix").state, "ready");
  });

  it("the same file is not tried again because it is looked at, but when somebody asks", async () => {
    await spoil();
    await pass(2 * GRACE_MS);
    assert.equal(rolledBack(), 1);
    const watched = await gateway.core.control.reload(WATCH);
    assert.equal(watched.outcome, "unchanged");
    assert.match(watched.problems?.join() ?? "", /was taken back/);
    assert.equal(backend("fix").kind, "stdio");
    assert.equal((await gateway.core.control.reload(ACT)).outcome, "partial");
    assert.equal(backend("fix").kind, "http");
    await pass(2 * GRACE_MS);
    assert.equal(rolledBack(), 2);
  });

  it("a right file afterwards ends the trouble", async () => {
    await spoil();
    await pass(2 * GRACE_MS);
    await reload({ backends: { fix: child(), a: remote(echo.url) } }, WATCH);
    assert.equal(gateway.core.control.state, "ready");
    assert.deepEqual(gateway.core.control.status().reasons, []);
  });

  it("a further reload keeps a good one and takes back a bad one before it is applied", async () => {
    const { process } = await spoil();
    const next = { backends: { fix: child(), a: remote(echo.url, { alias: "b" }) } };
    assert.equal((await reload(next)).outcome, "applied");
    assert.equal(rolledBack(), 1);
    assert.equal(backend("fix").pid, process, "it came back, and the next file has it as it was");
    const settings = { backends: { ...next.backends, c: remote(echo.url) } };
    assert.equal((await reload(settings)).outcome, "applied");
    await pass(2 * GRACE_MS);
    assert.equal(rolledBack(), 1);
    assert.deepEqual(operations("roll_back").map(({ outcome }) => outcome), ["applied"]);
  });

  it("a reload that changes nothing does not end its time", async () => {
    const { process } = await spoil();
    assert.equal((await gateway.core.control.reload(ACT)).outcome, "unchanged");
    await pass(2 * GRACE_MS);
    assert.equal(rolledBack(), 1);
    assert.equal(backend("fix").pid, process);
  });

  it("with a grace of 0 nothing is taken back and nothing runs on", async () => {
    await start({ backends: { fix: child() } });
    const old = backend("fix").pid as number;
    await reload({ backends: { fix: remote(NOWHERE) }, reload: { grace: "0s" } });
    await gone(old);
    await pass(2 * GRACE_MS);
    assert.equal(rolledBack(), 0);
  });

  it("a stop within its time ends what was replaced too", async () => {
    const { process } = await spoil();
    await gateway.stop();
    assert.ok(!isAlive(process));
  });
});
