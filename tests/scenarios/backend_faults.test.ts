import assert from "node:assert/strict";
import process from "node:process";
import { describe, it, type TestContext } from "node:test";
import {
  type ConfigInput,
  type CoreParts,
  fixtureBackend,
  startCore,
  type TestCore,
} from "../support/core.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { eventually } from "../support/http_fixture_wire.ts";
import { HttpSession, type Rpc } from "../support/http_session.ts";
import { proves } from "../support/proves.ts";
import {
  error,
  type FaultyBackend,
  hang,
  serveFaulty,
  status,
  toolError,
  well,
} from "./faulty_backend.ts";

const NO_RETRY = { retry: { attempts: 1 } };
/** The first time of an open circuit, with nothing left to chance. */
const OPEN_MS = 1000;
const TIMEOUT = { timeout: 30_000 };

interface Faults {
  readonly backend: FaultyBackend;
  readonly clock: FakeClock;
  readonly core: TestCore;
  readonly session: HttpSession;
  call(tool: string): Promise<Rpc>;
  read(): Promise<Rpc>;
  /** Fields of the events of that name. */
  events(name: string): readonly Readonly<Record<string, unknown>>[];
  state(): ReturnType<TestCore["core"]["control"]["backend"]>;
  retries(): Record<string, number>;
}

/** A gateway before one backend that fails as told; time moves only when told. */
async function faults(
  t: TestContext,
  own: Record<string, unknown> = NO_RETRY,
  parts: CoreParts = {},
): Promise<Faults> {
  const backend = await serveFaulty();
  const clock = new FakeClock();
  const table = { url: backend.url.href, ...own };
  const core = await startCore({ backends: { one: table } } as ConfigInput, { clock, ...parts });
  t.after(async () => {
    await core.stop();
    await backend.close();
  });
  const state = () => core.core.control.backend("one", 0);
  await eventually("a backend that is ready", () => state().state === "ready");
  const session = await HttpSession.open(core.core.fetch);
  return {
    backend,
    clock,
    core,
    session,
    state,
    call: (tool) => session.call(`one__${tool}`),
    read: () => session.request("resources/read", { uri: "doc:a" }),
    events: (name) => core.log.filter(({ event }) => event === name).map(({ fields }) => fields),
    retries: () =>
      Object.fromEntries(
        core.telemetry.read("sentinel_backend_retries_total")
          .map(({ labels, value }) => [labels["reason"] as string, value]),
      ),
  };
}

/** What the client is told, as far as it helps it. */
function told(answer: Rpc): unknown[] {
  const { data, code } = answer["error"] ?? {};
  return answer["error"] === undefined ? ["result"] : [data?.code ?? code, data?.executed];
}

async function failing(times: number, call: () => Promise<Rpc>): Promise<Rpc[]> {
  const answers: Rpc[] = [];
  for (let time = 0; time < times; time++) answers.push(await call());
  return answers;
}

describe("a circuit", () => {
  proves("G7.4", "opens for a tool that fails, and for no other of its backend", async (t) => {
    const { backend, call, events, state } = await faults(t);
    backend.fate = (response, message) =>
      message["params"].name === "a" ? error(-32603)(response, message) : well(response, message);
    for (const answer of await failing(5, () => call("a"))) {
      assert.deepEqual(told(answer), [-32603, undefined]);
    }
    const refused = await call("a");
    assert.deepEqual(told(refused), ["CIRCUIT_OPEN", "no"]);
    const { data } = refused["error"];
    assert.deepEqual([data.backend, data.reason], ["one", "it answered -32603 no"]);
    assert.ok(data.retryAfterMs > 0 && data.retryAfterMs <= OPEN_MS);
    assert.deepEqual(told(await call("b")), ["result"]);
    assert.equal(backend.reached.length, 6);
    assert.deepEqual(state().circuit, { state: "closed", tools: ["a"] });
    const [opened] = events("backend.circuit_opened");
    assert.deepEqual([opened?.["backend"], opened?.["tool"]], ["one", "a"]);
  }, TIMEOUT);

  proves(
    "G7.4",
    "of a backend that refuses connections opens, and then nothing is sent (T49)",
    async (t) => {
      const { backend, call, events, state, clock, core } = await faults(t);
      await backend.close();
      for (const answer of await failing(5, () => call("a"))) {
        assert.deepEqual(told(answer), ["BACKEND_LOST", "no"]);
      }
      assert.equal(state().circuit.state, "open");
      for (const tool of ["a", "b"]) {
        assert.deepEqual(told(await call(tool)), ["CIRCUIT_OPEN", "no"]);
      }
      assert.equal(events("backend.circuit_opened").length, 1);
      // Nobody calls: pings are the probes, and each that fails makes it last longer.
      await clock.advance(OPEN_MS);
      const openings = () => events("backend.circuit_opened").map(({ open_ms }) => Number(open_ms));
      await eventually("a failed probe", () => openings().length === 2);
      assert.ok((openings()[1] as number) > OPEN_MS);
      const gauge = core.telemetry.read("sentinel_backend_circuit_transitions_total")
        .find(({ labels }) => labels["scope"] === "backend" && labels["state"] === "open");
      assert.equal(gauge?.value, 2);
    },
    TIMEOUT,
  );

  it("does not open for what tools and callers do wrong", TIMEOUT, async (t) => {
    const { backend, call, state } = await faults(t);
    for (const fate of [toolError, error(-32602), error(-32002), error(-32042)]) {
      backend.fate = fate;
      await failing(6, () => call("a"));
    }
    assert.deepEqual(state().circuit, { state: "closed", tools: [] });
    assert.equal(backend.reached.length, 24);
  });

  proves(
    "G7.4",
    "lets one probe through when its time is over, and closes when it succeeds",
    async (t) => {
      const { backend, call, clock, events, state } = await faults(t, {
        ...NO_RETRY,
        // No ping comes in between.
        health: { failures: 2, healthy_after: 99 },
      });
      backend.fate = status(500);
      await failing(2, () => call("a"));
      backend.pingFate = hang;
      const held = Promise.withResolvers<void>();
      backend.fate = (response, message) => held.promise.then(() => well(response, message));
      await clock.advance(OPEN_MS - 101);
      assert.deepEqual(told(await call("b")), ["CIRCUIT_OPEN", "no"]);
      // Ping and call may both be the probe: whichever comes first is the only one.
      const before = backend.reached.length;
      await clock.advance(101);
      await eventually("a ping", () => backend.pings() === 1);
      assert.deepEqual(told(await call("a")), ["CIRCUIT_OPEN", "no"]);
      // It is not answered in time, so the circuit opens for longer.
      await clock.advance(5250);
      assert.equal(state().circuit.state, "open");
      backend.pingFate = well;
      await clock.advance(2 * OPEN_MS);
      await eventually("a ping that is answered", () => state().lastPing?.ok);
      const probe = call("b");
      await eventually("the probe", () => backend.reached.length === before + 1);
      assert.deepEqual(told(await call("a")), ["CIRCUIT_OPEN", "no"]);
      held.resolve();
      assert.deepEqual(told(await probe), ["result"]);
      assert.deepEqual(told(await call("a")), ["result"]);
      assert.equal(events("backend.circuit_closed").length, 1);
    },
    TIMEOUT,
  );

  proves(["G7.3", "G7.4"], "closes by pings alone, also over a new connection", async (t) => {
    const health = { failures: 2, interval: "10s", timeout: "1s", unhealthy_after: 2 };
    const { backend, call, clock, events, state } = await faults(t, { ...NO_RETRY, health });
    const isClosed = () => state().state === "ready" && state().circuit.state === "closed";
    backend.fate = status(500);
    await failing(2, () => call("a"));
    assert.equal(state().circuit.state, "open");
    await advanceUntil(clock, isClosed, 100);
    assert.equal(events("backend.circuit_closed").length, 1);
    const greet = backend.helloFate;
    Object.assign(backend, { pingFate: hang, helloFate: hang });
    await failing(2, () => call("b"));
    await advanceUntil(clock, () => state().state !== "ready", 100);
    assert.notEqual(state().circuit.state, "closed");
    Object.assign(backend, { pingFate: well, helloFate: greet });
    await advanceUntil(clock, isClosed, 100);
    assert.equal(events("backend.circuit_closed").length, 2);
    assert.equal(backend.reached.length, 4);
  }, TIMEOUT);

  it("counts a lost connection once, however many calls it took with it", TIMEOUT, async (t) => {
    const core = await startCore({ backends: { one: fixtureBackend(NO_RETRY) } });
    t.after(() => core.stop());
    const state = () => core.core.control.backend("one", 0);
    await eventually("a child", () => state().state === "ready");
    const session = await HttpSession.open(core.core.fetch);
    const calls = Array.from({ length: 10 }, () => session.call("one__wait", { ms: 60_000 }));
    await eventually("calls under way", () => state().inFlight === 10);
    process.kill(state().pid as number, "SIGKILL");
    for (const answer of await Promise.all(calls)) {
      assert.deepEqual(told(answer), ["BACKEND_LOST", "unknown"]);
    }
    assert.equal(state().circuit.state, "closed");
  });
});

describe("the calls a backend works on", () => {
  const LIMITS = { in_flight: 1, queue: 1, queue_wait: "1s" };

  it("are bounded; some more wait, not for long", TIMEOUT, async (t) => {
    const { backend, call, clock, state, core } = await faults(t, { ...NO_RETRY, limits: LIMITS });
    const held = Promise.withResolvers<void>();
    backend.fate = (response, message) => held.promise.then(() => well(response, message));
    const first = call("a");
    await eventually("the first", () => backend.reached.length === 1);
    const second = call("a");
    await eventually("the second", () => state().queued === 1);
    const third = await call("a");
    assert.deepEqual(told(third), ["OVERLOADED", "no"]);
    assert.equal(third["error"].data.reason, "backends.one.limits.queue = 1");
    core.telemetry.expose(undefined);
    for (const metric of ["sentinel_backend_in_flight", "sentinel_backend_queue_length"] as const) {
      assert.equal(core.telemetry.read(metric)[0]?.value, 1);
    }
    await clock.advance(1000);
    const late = await second;
    assert.deepEqual(told(late), ["OVERLOADED", "no"]);
    assert.match(late["error"].data.reason, /limits\.in_flight = 1, limits\.queue_wait = 1s/);
    held.resolve();
    assert.deepEqual(told(await first), ["result"]);
    assert.deepEqual([backend.reached.length, state().queued], [1, 0]);
  });

  it(
    "go on with the one that has waited longest; who cancels waits no more",
    TIMEOUT,
    async (t) => {
      const { backend, call, session, state } = await faults(t, {
        ...NO_RETRY,
        limits: { ...LIMITS, queue: 2 },
      });
      const held = Promise.withResolvers<void>();
      backend.fate = (response, message) => held.promise.then(() => well(response, message));
      const first = call("a");
      await eventually("the first", () => backend.reached.length === 1);
      const cancelled = session.send("tools/call", { name: "one__a", arguments: {} }, "given up");
      await eventually("the second", () => state().queued === 1);
      const third = call("b");
      await eventually("the third", () => state().queued === 2);
      await session.notify("notifications/cancelled", { requestId: "given up" });
      await eventually("a place in the queue", () => state().queued === 1);
      held.resolve();
      assert.deepEqual([told(await first), told(await third)], [["result"], ["result"]]);
      assert.deepEqual(backend.reached, ["tools/call a", "tools/call b"]);
      await cancelled;
    },
  );
});

describe("the time of a call", () => {
  const OWN = { ...NO_RETRY, timeout: "8s" };

  proves("G3.3", "holds for a handshake that hangs: it was never sent", async (t) => {
    const { backend, call, clock, state } = await faults(t, OWN);
    const greet = backend.helloFate;
    backend.helloFate = hang;
    let isOver = false;
    const calling = call("a").finally(() => isOver = true);
    await waits();
    await clock.advance(7999);
    assert.equal(isOver, false);
    await clock.advance(1);
    const answer = await calling;
    assert.deepEqual(told(answer), ["BACKEND_TIMEOUT", "no"]);
    assert.equal(answer["error"].data.backend, "one");
    assert.match(answer["error"].message, /no connection to it within 8000 ms/);
    // The handshake itself is given up, and the next call begins another.
    await clock.advance(2250);
    backend.helloFate = greet;
    assert.deepEqual(told(await call("a")), ["result"]);
    assert.deepEqual(backend.reached, ["tools/call a"]);
    assert.equal(state().inFlight, 0);
  }, TIMEOUT);

  proves("G3.3", "is shared by the handshake and the answer", async (t) => {
    const { backend, call, clock } = await faults(t, OWN);
    const held = Promise.withResolvers<void>();
    const greet = backend.helloFate;
    backend.helloFate = (response, message) => held.promise.then(() => greet(response, message));
    backend.fate = hang;
    let isOver = false;
    const calling = call("a").finally(() => isOver = true);
    await waits();
    await clock.advance(6000);
    held.resolve();
    await eventually("the call", () => backend.reached.length === 1);
    await clock.advance(1750);
    assert.equal(isOver, false);
    await clock.advance(500);
    const answer = await calling;
    assert.deepEqual(told(answer), ["BACKEND_TIMEOUT", "unknown"]);
    assert.match(answer["error"].message, /no answer within 8000 ms/);
  }, TIMEOUT);

  it("is shared by the queue", TIMEOUT, async (t) => {
    const limits = { in_flight: 1, queue: 1, queue_wait: "30s" };
    const { backend, call, clock, state } = await faults(t, { ...OWN, limits });
    backend.fate = hang;
    const first = call("a");
    await eventually("the first", () => backend.reached.length === 1);
    await clock.advance(7000);
    const second = call("b");
    await eventually("the second", () => state().queued === 1);
    await clock.advance(1250);
    assert.deepEqual(told(await first), ["BACKEND_TIMEOUT", "unknown"]);
    await eventually("the second", () => backend.reached.length === 2);
    const third = call("b");
    await eventually("the third", () => state().queued === 1);
    await clock.advance(6750);
    assert.deepEqual(told(await second), ["BACKEND_TIMEOUT", "unknown"]);
    // It had its place too late to have its time again.
    await clock.advance(1500);
    assert.deepEqual(told(await third), ["BACKEND_TIMEOUT", "unknown"]);
  });

  it("is over for who cancels, also while a connection is made", TIMEOUT, async (t) => {
    const { backend, session, core } = await faults(t, OWN);
    backend.helloFate = hang;
    const cancelled = session.send("tools/call", { name: "one__a", arguments: {} }, "given up");
    await waits();
    await session.notify("notifications/cancelled", { requestId: "given up" });
    await cancelled;
    await eventually("its end", () => core.log.some(({ event }) => event === "call.finished"));
  });
});

describe("a retry", () => {
  const QUICK = { retry: { attempts: 3, base: "10ms", max: "10ms", tools: ["get_*"] } };

  /** Fails once with this, then all is well. */
  function once(backend: FaultyBackend, fate: FaultyBackend["fate"]): void {
    backend.fate = (response, message) => {
      backend.fate = well;
      return fate(response, message);
    };
  }

  proves("G3.3", "is made of what reads, and of the tools the configuration names", async (t) => {
    const { backend, call, read, clock, retries } = await faults(t, QUICK);
    once(backend, status(503));
    const reading = read();
    await eventually("a first try", () => backend.reached.length === 1);
    await advanceUntil(clock, () => backend.reached.length === 2);
    assert.deepEqual(told(await reading), ["result"]);
    assert.equal(retries()["lost"], 1);
    // A budget of one in 30 seconds is used up.
    await clock.advance(35_000);
    once(backend, status(503));
    const named = call("get_c");
    await advanceUntil(clock, () => backend.reached.length === 4);
    assert.deepEqual(told(await named), ["result"]);
    assert.equal(retries()["lost"], 2);
  }, TIMEOUT);

  proves("G3.3", "is never made of another tool that may have run (L5)", async (t) => {
    const { backend, call, retries } = await faults(t, QUICK);
    once(backend, status(503));
    assert.deepEqual(told(await call("a")), ["BACKEND_LOST", "unknown"]);
    assert.deepEqual(backend.reached, ["tools/call a"]);
    assert.deepEqual(Object.values(retries()), [0, 0, 0, 0]);
  }, TIMEOUT);

  it("of what was not carried out waits as long as the backend asks", TIMEOUT, async (t) => {
    const { backend, call, clock, retries } = await faults(t, QUICK);
    once(backend, status(429, { "retry-after": "3" }));
    const calling = call("a");
    await eventually("a first try", () => backend.reached.length === 1);
    await eventually("a pause", () => retries()["not_delivered"] === 1);
    await clock.advance(2999);
    assert.equal(backend.reached.length, 1);
    await clock.advance(1);
    assert.deepEqual(told(await calling), ["result"]);
    assert.equal(backend.reached.length, 2);
  });

  it("is not made beyond the budget, and that is counted", TIMEOUT, async (t) => {
    const { backend, read, clock, retries } = await faults(t, {
      ...QUICK,
      health: { failures: 99 },
    });
    backend.fate = status(503);
    const first = read();
    await advanceUntil(clock, () => backend.reached.length === 2);
    assert.deepEqual(told(await first), ["BACKEND_LOST", "unknown"]);
    await failing(5, read);
    assert.equal(backend.reached.length, 7);
    assert.deepEqual([retries()["lost"], retries()["over_budget"]], [1, 6]);
  });

  it("meets the circuit that opened, and still says that it may have run", TIMEOUT, async (t) => {
    const { backend, call, clock, retries } = await faults(t, {
      ...QUICK,
      health: { failures: 1 },
    });
    backend.fate = status(503);
    const calling = call("get_c");
    await eventually("a pause", () => retries()["lost"] === 1);
    await clock.advance(10);
    assert.deepEqual(told(await calling), ["CIRCUIT_OPEN", "unknown"]);
    assert.equal(backend.reached.length, 1);
  });

  it("ends when its call is cancelled", TIMEOUT, async (t) => {
    const { backend, session, clock, retries } = await faults(t, {
      retry: { base: "10s", max: "10s" },
    });
    backend.fate = status(429, { "retry-after": "1" });
    void session.send("tools/call", { name: "one__a", arguments: {} }, "x");
    await eventually("a pause", () => retries()["not_delivered"] === 1);
    await session.notify("notifications/cancelled", { requestId: "x" });
    await clock.advance(20_000);
    assert.equal(backend.reached.length, 1);
  });
});

describe("a session that the backend has forgotten", () => {
  proves("G3.3", "is made anew once and quietly, and what was lost with it is said", async (t) => {
    const { backend, call, clock, session, state, events } = await faults(t);
    await session.request("resources/subscribe", { uri: "doc:a" });
    backend.restart();
    assert.deepEqual(told(await call("a")), ["BACKEND_LOST", "no"]);
    // Calls have a connection of their own: that theirs is lost makes the main one be looked at.
    await clock.advance(0);
    await eventually("the subscription", () => backend.reached.length === 2);
    await eventually("a new session", () => state().state === "ready");
    assert.deepEqual(backend.reached, ["resources/subscribe doc:a", "resources/subscribe doc:a"]);
    const [lost] = events("backend.state_lost");
    assert.deepEqual(lost?.["told"], "1 of 1 subscriptions");
    assert.equal(state().lost.length, 1);
  }, TIMEOUT);

  it("of one client alone is in the ledger of that client", TIMEOUT, async (t) => {
    const own = { ...NO_RETRY, instances: "per-session" };
    const { backend, call, session, core } = await faults(t, own);
    await call("b");
    await session.request("resources/subscribe", { uri: "doc:a" });
    backend.restart();
    assert.deepEqual(told(await call("a")), ["BACKEND_LOST", "no"]);
    assert.deepEqual(told(await call("a")), ["result"]);
    const ledger = () => {
      const [{ restored = [], lost = [] } = {}] = core.core.control.sessions(0);
      return { restored, lost };
    };
    await eventually("the subscription", () => ledger().restored.length === 2);
    assert.deepEqual(ledger(), {
      restored: ['backend "one": the connection', 'backend "one": the subscription of doc:a'],
      lost: ['backend "one": whatever it kept of the connection before'],
    });
    assert.equal(backend.reached.filter((what) => what === "resources/subscribe doc:a").length, 2);
  });

  it("is not noticed by who calls, where there may be a second try", TIMEOUT, async (t) => {
    const { backend, call } = await faults(t, {});
    backend.restart();
    assert.deepEqual(told(await call("a")), ["result"]);
    assert.deepEqual(backend.reached, ["tools/call a"]);
  });
});

describe("a health check", () => {
  const PINGS = { health: { interval: "30s", timeout: "5s", unhealthy_after: 3 } };
  /** The interval and a tenth more. */
  const INTERVAL_MS = 33_000;

  proves("G7.3", "is made of a backend that is idle, and of no other", async (t) => {
    const { backend, session, clock, state } = await faults(t, PINGS);
    await advanceUntil(clock, () => backend.pings() === 1, 1000);
    await eventually("its answer", () => state().lastPing?.ok);
    // Over the connection that is looked at; calls of clients have another one.
    await session.request("resources/subscribe", { uri: "doc:a" });
    // Less than two intervals: after the answer to the ping itself this is the one look there is.
    await clock.advance(INTERVAL_MS);
    assert.equal(backend.pings(), 1);
  }, TIMEOUT);

  proves("G7.3", "that fails several times in a row connects the backend anew", async (t) => {
    const { backend, clock, state, events, core } = await faults(t, PINGS);
    backend.pingFate = hang;
    for (let ping = 1; ping <= 3; ping++) {
      await advanceUntil(clock, () => backend.pings() === ping, 1000);
      await clock.advance(5250);
    }
    const [unresponsive] = events("backend.unresponsive");
    assert.equal(unresponsive?.["failures"], 3);
    await eventually("a new connection", () => state().state === "ready" && state().restarts === 1);
    const restarts = core.telemetry.read("sentinel_backend_restarts_total")
      .find(({ labels }) => labels["reason"] === "unresponsive");
    assert.equal(restarts?.value, 1);
    assert.match(state().lastError ?? "", /3 pings in a row failed/);
    const checks = core.telemetry.read("sentinel_backend_health_check_duration_seconds");
    const made = checks.map(({ labels, counts }) => [
      labels["result"],
      counts.reduce((sum, count) => sum + count, 0),
    ]);
    assert.deepEqual(Object.fromEntries(made), { ok: 0, failed: 3 });
  }, TIMEOUT);

  proves(["G7.3", "U5"], "ends a process that hangs, and starts another", async (t) => {
    const own = { ...PINGS, stop: { grace: "0s" } };
    const clock = new FakeClock();
    const core = await startCore({ backends: { one: fixtureBackend(own) } }, { clock });
    t.after(() => core.stop());
    const state = () => core.core.control.backend("one", 0);
    // The first question is answered at once.
    await eventually("a child", () => state().state === "ready");
    const { pid } = state();
    process.kill(pid as number, "SIGSTOP");
    await advanceUntil(clock, () => state().restarts > 0, 1000);
    // The new one needs real time: its handshake must not be over time meanwhile.
    await advanceUntil(clock, () => state().state === "ready", 1);
    assert.notEqual(state().pid, pid);
  }, TIMEOUT);
});

describe("a stream that is to bring an answer", () => {
  proves(
    "G3.3",
    "and falls silent ends the call, its connection and its place (T50)",
    async (t) => {
      const { backend, call, clock, state } = await faults(t);
      let isGone = false;
      let write = (_text: string) => {};
      backend.fate = (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" }).write(": open\n\n");
        response.on("close", () => isGone = true);
        write = (text) => void response.write(text);
      };
      const calling = call("a");
      await eventually("the call", () => backend.reached.length === 1);
      await settled(state);
      await clock.advance(20_000);
      write(": still here\n\n");
      await heardAgain();
      await clock.advance(29_000);
      assert.equal(isGone, false);
      await clock.advance(1250);
      const answer = await calling;
      assert.deepEqual(told(answer), ["BACKEND_TIMEOUT", "unknown"]);
      assert.match(answer["error"].message, /silent for 30000 ms/);
      await eventually("the end of the connection", () => isGone);
      assert.equal(state().inFlight, 0);
    },
    TIMEOUT,
  );
});

/** Moves time in steps until it is true, with turns for what comes over the network in between. */
async function advanceUntil(clock: FakeClock, isTrue: () => boolean, stepMs = 5): Promise<void> {
  for (let step = 0; step < 1000 && !isTrue(); step++) {
    await clock.advance(stepMs);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(isTrue(), "waited in vain");
}

/** A call that was begun has had time to get as far as it can. */
function waits(): Promise<void> {
  return heardAgain();
}

/** What was written has had time to arrive. */
function heardAgain(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 100));
}

async function settled(state: Faults["state"]): Promise<void> {
  await eventually("a call under way", () => state().inFlight === 1);
  await heardAgain();
}
