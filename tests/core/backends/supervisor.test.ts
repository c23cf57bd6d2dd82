import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SentinelError } from "../../../src/contract/mod.ts";
import {
  Supervisor,
  type SupervisorOptions,
  type SupervisorStatus,
} from "../../../src/core/backends/supervisor.ts";
import { FakeClock, settle } from "../../support/fake_clock.ts";

const DOWN = new SentinelError("BACKEND_LOST", "Cannot reach the backend");
const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** A connection that notes when it is closed; closing takes as long as the test wants. */
class FakeConnection {
  closes = 0;
  closed: Promise<void> = Promise.resolve();

  close(): Promise<void> {
    this.closes++;
    return this.closed;
  }
}

type Changes = Partial<Pick<SupervisorOptions<FakeConnection>, "connect" | "mayGiveUp">>;

/** A supervisor whose attempts and states are recorded; the jitter always takes the whole delay. */
function supervise(changes: Changes = {}) {
  const clock = new FakeClock();
  const starts: number[] = [];
  const seen: SupervisorStatus[] = [];
  const connections: FakeConnection[] = [];
  const accept = () => {
    const connection = new FakeConnection();
    connections.push(connection);
    return Promise.resolve(connection);
  };
  const supervisor = new Supervisor<FakeConnection>({
    connect: (signal, failed) => {
      starts.push(clock.monotonic());
      return (changes.connect ?? accept)(signal, failed);
    },
    clock,
    random: { bytes: (length) => new Uint8Array(length), fraction: () => 1 },
    restart: { base: SECOND, max: MINUTE, reset_after: 5 * MINUTE },
    mayGiveUp: changes.mayGiveUp ?? true,
    onChange: () => seen.push(supervisor.status),
  });
  const states = () => seen.map(({ state }) => state);
  return { clock, starts, seen, states, connections, supervisor };
}

const refuse = () => Promise.reject(DOWN);

/** Differences between neighbours. */
function gaps(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
}

describe("Supervisor", () => {
  test("start() connects once and reports starting, then ready", async () => {
    const { supervisor, states, starts, clock } = supervise();
    assert.equal(supervisor.status.state, "stopped");
    supervisor.start();
    supervisor.start();
    await settle();
    assert.deepEqual(states(), ["starting", "ready"]);
    assert.deepEqual(supervisor.status, {
      state: "ready",
      since: clock.now(),
      lastError: undefined,
      nextRetryAt: undefined,
      restarts: 0,
      manual: false,
    });
    assert.equal(starts.length, 1);
  });

  test("a lost connection is replaced at once, the first time", async () => {
    const { supervisor, states, starts, connections } = supervise();
    supervisor.start();
    await settle();
    supervisor.lost(DOWN);
    await settle();
    assert.deepEqual(states(), ["starting", "ready", "starting", "ready"]);
    assert.deepEqual(starts, [0, 0]);
    assert.equal(supervisor.status.restarts, 1);
    assert.equal(supervisor.status.lastError, DOWN);
    assert.equal(connections[0]?.closes, 1);
  });

  test("the replacement waits until nothing is left of what was lost", async () => {
    const { supervisor, starts, connections } = supervise();
    supervisor.start();
    await settle();
    const { promise, resolve } = Promise.withResolvers<void>();
    (connections[0] as FakeConnection).closed = promise;
    supervisor.lost(DOWN);
    await settle();
    assert.equal(starts.length, 1);
    resolve();
    await settle();
    assert.equal(starts.length, 2);
  });

  test("failed attempts are repeated after doubling delays up to the maximum", async () => {
    const { supervisor, starts, clock } = supervise({ connect: refuse, mayGiveUp: false });
    supervisor.start();
    await settle();
    await clock.advance(10 * MINUTE);
    assert.deepEqual(
      gaps(starts).slice(0, 9),
      [1, 2, 4, 8, 16, 32, 60, 60, 60].map((s) => s * SECOND),
    );
  });

  test("the delay is spread over the whole range by the random port", async () => {
    const clock = new FakeClock();
    const starts: number[] = [];
    const fractions = [0.25, 0.5];
    const supervisor = new Supervisor<FakeConnection>({
      connect: () => {
        starts.push(clock.monotonic());
        return refuse();
      },
      clock,
      random: { bytes: (length) => new Uint8Array(length), fraction: () => fractions.shift() ?? 1 },
      restart: { base: SECOND, max: MINUTE, reset_after: MINUTE },
      mayGiveUp: false,
      onChange: () => {},
    });
    supervisor.start();
    await settle();
    await clock.advance(1250);
    assert.deepEqual(starts, [0, 250, 1250]);
    await supervisor.stop();
  });

  test("backoff says what failed and when the next attempt is due", async () => {
    const { supervisor, clock } = supervise({ connect: refuse });
    supervisor.start();
    await settle();
    const { state, since, lastError, nextRetryAt } = supervisor.status;
    assert.deepEqual({ state, since, lastError, nextRetryAt }, {
      state: "backoff",
      since: clock.now(),
      lastError: DOWN,
      nextRetryAt: clock.now() + SECOND,
    });
  });

  test("more than five failures within a minute are fatal, and nothing is tried any more", async () => {
    const { supervisor, starts, clock } = supervise({ connect: refuse });
    supervisor.start();
    await settle();
    await clock.advance(10 * MINUTE);
    assert.equal(supervisor.status.state, "fatal");
    assert.equal(supervisor.status.lastError, DOWN);
    assert.equal(supervisor.status.nextRetryAt, undefined);
    assert.equal(starts.length, 6);
    assert.equal(clock.pending, 0);
  });

  test("starts that failed within an attempt count like attempts of their own", async () => {
    const { supervisor, starts, clock } = supervise({
      connect: (_signal, failed) => {
        if (starts.length === 1) failed();
        return refuse();
      },
    });
    supervisor.start();
    await settle();
    await clock.advance(10 * MINUTE);
    assert.equal(supervisor.status.state, "fatal");
    assert.equal(starts.length, 5);
  });

  test("a child that answers and dies again and again ends in fatal too", async () => {
    const { supervisor, starts, clock } = supervise();
    supervisor.start();
    await settle();
    for (let life = 0; life < 40; life++) {
      await clock.advance(50);
      supervisor.lost(DOWN);
      await settle();
      await clock.advance(SECOND);
    }
    assert.equal(supervisor.status.state, "fatal");
    assert.equal(starts.length, 6);
  });

  test("failures that are further apart than five a minute are not fatal", async () => {
    const { supervisor, clock } = supervise();
    supervisor.start();
    await settle();
    for (let life = 0; life < 20; life++) {
      await clock.advance(MINUTE);
      assert.equal(supervisor.status.state, "ready");
      supervisor.lost(DOWN);
      await settle();
      await clock.advance(MINUTE);
    }
    assert.equal(supervisor.status.state, "ready");
  });

  test("an attempt without permission to give up never ends in fatal", async () => {
    const { supervisor, starts, clock } = supervise({ connect: refuse, mayGiveUp: false });
    supervisor.start();
    await settle();
    await clock.advance(60 * MINUTE);
    assert.equal(supervisor.status.state, "backoff");
    assert.ok(starts.length > 50);
  });

  test("reconnect() leaves fatal, and the delays begin anew", async () => {
    const { supervisor, starts, clock } = supervise({ connect: refuse });
    supervisor.start();
    await settle();
    await clock.advance(10 * MINUTE);
    const before = starts.length;
    supervisor.reconnect();
    await settle();
    await clock.advance(3 * SECOND);
    assert.deepEqual(gaps(starts.slice(before)), [SECOND, 2 * SECOND]);
  });

  test("reconnect() ends the waiting of a backoff, without a second attempt later", async () => {
    const { supervisor, starts, clock } = supervise({
      connect: () => starts.length === 1 ? refuse() : Promise.resolve(new FakeConnection()),
    });
    supervisor.start();
    await settle();
    supervisor.reconnect();
    await settle();
    await clock.advance(MINUTE);
    assert.deepEqual(starts, [0, 0]);
    assert.equal(supervisor.status.state, "ready");
  });

  test("reconnect() closes the running connection before it makes another one", async () => {
    const { supervisor, starts, connections } = supervise();
    supervisor.start();
    await settle();
    const { promise, resolve } = Promise.withResolvers<void>();
    const first = connections[0] as FakeConnection;
    first.closed = promise;
    supervisor.reconnect();
    supervisor.lost(DOWN); // what the closed connection reports is no news
    await settle();
    assert.equal(first.closes, 1);
    assert.equal(starts.length, 1);
    resolve();
    await settle();
    assert.equal(supervisor.status.state, "ready");
    assert.equal(connections.length, 2);
    assert.equal(connections[1]?.closes, 0);
  });

  test("a healthy run as long as reset_after makes the next restart immediate again", async () => {
    const { supervisor, starts, clock } = supervise();
    supervisor.start();
    await settle();
    supervisor.lost(DOWN);
    await settle();
    await clock.advance(MINUTE);
    supervisor.lost(DOWN);
    await settle();
    await clock.advance(SECOND);
    assert.deepEqual(gaps(starts), [0, MINUTE + SECOND]);
    await clock.advance(5 * MINUTE);
    supervisor.lost(DOWN);
    await settle();
    assert.equal(supervisor.status.state, "ready");
    assert.equal(starts.at(-1), clock.monotonic());
  });

  test("a connection lost before it could be reported counts as a failed attempt", async () => {
    const connection = new FakeConnection();
    const { supervisor } = supervise({
      connect: () => {
        supervisor.lost(DOWN);
        return Promise.resolve(connection);
      },
    });
    supervisor.start();
    await settle();
    assert.equal(supervisor.status.state, "backoff");
    assert.equal(supervisor.status.lastError, DOWN);
    assert.equal(connection.closes, 1);
  });

  test("stop() closes the connection and resolves when it is closed", async () => {
    const { supervisor, states, connections, clock } = supervise();
    supervisor.start();
    await settle();
    const { promise, resolve } = Promise.withResolvers<void>();
    (connections[0] as FakeConnection).closed = promise;
    const stopped = supervisor.stop();
    assert.equal(supervisor.stop(), stopped);
    await settle();
    assert.equal(supervisor.status.state, "stopping");
    resolve();
    await stopped;
    assert.deepEqual(states(), ["starting", "ready", "stopping", "stopped"]);
    assert.equal(clock.pending, 0);
  });

  test("stop() aborts an attempt under way and closes what it still brings", async () => {
    const late = Promise.withResolvers<FakeConnection>();
    let aborted = false;
    const { supervisor } = supervise({
      connect: (signal) => {
        signal.addEventListener("abort", () => aborted = true);
        return late.promise;
      },
    });
    supervisor.start();
    await settle();
    const stopped = supervisor.stop();
    assert.ok(aborted);
    const connection = new FakeConnection();
    late.resolve(connection);
    await stopped;
    assert.equal(connection.closes, 1);
    assert.equal(supervisor.status.state, "stopped");
  });

  test("stop() ends a backoff, and start() may follow", async () => {
    const { supervisor, starts, clock } = supervise({ connect: refuse });
    supervisor.start();
    await settle();
    await supervisor.stop();
    await clock.advance(MINUTE);
    assert.equal(starts.length, 1);
    assert.equal(supervisor.status.state, "stopped");
    supervisor.reconnect();
    assert.equal(supervisor.status.state, "stopped");
    supervisor.start();
    await settle();
    assert.equal(starts.length, 2);
    await supervisor.stop();
  });

  test("an attempt that throws anything else is a failure like any other", async () => {
    const { supervisor } = supervise({
      connect: () => {
        throw new TypeError("a defect");
      },
    });
    supervisor.start();
    await settle();
    assert.equal(supervisor.status.state, "backoff");
    assert.equal(supervisor.status.lastError?.code, "INTERNAL");
  });
});
