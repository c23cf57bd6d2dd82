import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { CallRecord } from "../../src/contract/manage/mod.ts";
import { MemoryStateStore } from "../../src/stores/memory/state_store.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import {
  type AskOptions,
  type ManagementOptions,
  startManagement,
  type TestManagement,
  TOKENS,
} from "../support/management.ts";
import { proves } from "../support/proves.ts";

const EVENTS = "/manage/v1/events/stream";
const CALLS = "/manage/v1/calls/stream";
const BEAT = 15_000;

const CALL: CallRecord = {
  request: "r",
  at: "2026-01-01T00:00:00.000Z",
  method: "tools/call",
  outcome: "ok",
  durationMs: 1,
  session: "s",
  era: "legacy",
  transport: "streamable_http",
  protocol: "2025-11-25",
};

/** Reads one chunk at a time, so that a test decides when the reader takes something. */
class Reader {
  readonly events: EventSourceMessage[] = [];
  /** Id that a reconnect would send. */
  lastId: string | undefined;
  text = "";
  ended = false;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  readonly #parser = createParser({
    onEvent: (event) => void this.events.push(event),
    onId: (id) => void (this.lastId = id),
  });
  #pending: Promise<void> | undefined;

  constructor(body: unknown) {
    assert.ok(body instanceof ReadableStream);
    this.#reader = body.getReader();
  }

  /** Asks for the next chunk; comes when there is one. */
  take(): Promise<void> {
    return this.#pending ??= this.#reader.read().then(({ done, value }) => {
      this.#pending = undefined;
      this.ended = done;
      const text = this.#decoder.decode(value, { stream: true });
      this.text += text;
      this.#parser.feed(text);
    });
  }

  /** Takes chunks until there are `count` events, or the end. */
  async until(count: number): Promise<readonly EventSourceMessage[]> {
    while (this.events.length < count && !this.ended) await this.take();
    return this.events;
  }

  async toEnd(): Promise<readonly EventSourceMessage[]> {
    return await this.until(Infinity);
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

describe("streams of the management API", () => {
  let management: TestManagement;
  let state: MemoryStateStore;
  let clock: FakeClock;
  afterEach(() => management.stop());

  async function start(options: ManagementOptions = {}, maxEvents = 10_000) {
    clock = new FakeClock();
    state = new MemoryStateStore({ maxEvents });
    management = await startManagement({ clock, state, ...options });
  }

  /** Through the event log, as the gateway reports. */
  function report(count = 1): void {
    const { events } = management.gateway.core.control;
    const log = events.beside({ write: () => {} });
    for (let index = 0; index < count; index++) log.write("backend.ready", { index });
  }

  /** Straight into the store: what was there before. */
  function seed(count: number): void {
    for (let index = 0; index < count; index++) {
      state.append({ at: CALL.at, event: "backend.ready", severity: "info", fields: { index } });
    }
  }

  async function open(target = EVENTS, options: AskOptions = {}): Promise<Reader> {
    const answer = await management.ask("GET", target, { token: TOKENS.read, ...options });
    assert.equal(answer.status, 200, JSON.stringify(answer.json));
    assert.equal(answer.headers["content-type"], "text/event-stream");
    const reader = new Reader(answer.body);
    await reader.take();
    assert.equal(reader.text, ": connected\n\n");
    return reader;
  }

  const openStreams = () =>
    /sentinel_streams_active\{kind="management_events"\} (\d+)/
      .exec(management.gateway.telemetry.expose(undefined).text)?.[1];

  const cursors = (events: readonly EventSourceMessage[]) => events.map(({ id }) => Number(id));
  const range = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index);

  proves(["S2"], "events come as they happen, with their cursor as id", async () => {
    await start();
    seed(5);
    const reader = await open();
    report(2);
    const [first, second] = await reader.until(2);
    assert.deepEqual([first?.event, first?.id], ["event", String(state.bounds().last - 1)]);
    const data = JSON.parse(second?.data ?? "");
    assert.deepEqual([data.cursor, data.event, data.fields], [
      second?.id,
      "backend.ready",
      { index: 1 },
    ]);
    // The reader waits: an event wakes it without any time passing.
    const waiting = reader.until(3);
    await settle();
    report();
    assert.equal((await waiting).length, 3);
  });

  test("a reader resumes where it was, by header rather than by query", async () => {
    await start();
    seed(2000);
    const { last } = state.bounds();
    const after = await open(`${EVENTS}?after=${last - 1200}`);
    assert.deepEqual(cursors(await after.until(1200)), range(last - 1199, last));
    const headers = { "last-event-id": String(last - 3) };
    const resumed = await open(`${EVENTS}?after=1`, { headers });
    assert.deepEqual(cursors(await resumed.until(3)), range(last - 2, last));
    const oldest = await open(`${EVENTS}?after=0`);
    assert.equal((await oldest.until(1))[0]?.id, String(state.bounds().oldest));
  });

  test("what is not kept any more is drawn as a gap, also in the middle", async () => {
    await start({}, 100);
    seed(1000);
    const { oldest, last } = state.bounds();
    const reader = await open(`${EVENTS}?after=10`);
    const [gap, first] = await reader.until(2);
    assert.equal(gap?.event, "gap");
    assert.deepEqual(JSON.parse(gap?.data ?? ""), {
      after: "10",
      oldest: String(oldest),
      lost: oldest - 11,
    });
    assert.equal(first?.id, String(oldest));
    const caught = await reader.until(1 + last - oldest + 1);
    assert.equal(caught.at(-1)?.id, String(last));
    seed(500);
    report();
    const behind = await reader.until(caught.length + 1);
    const second = JSON.parse(
      behind.find(({ event }, at) => event === "gap" && at > 0)?.data ?? "",
    );
    assert.deepEqual([second.after, second.lost], [String(last), state.bounds().oldest - last - 1]);
  });

  test("a filter is the server's, and a reader resumes behind what it left out", async () => {
    await start();
    seed(1200);
    const target = `${EVENTS}?after=1&filter=${encodeURIComponent("severity:warn")}`;
    const reader = await open(target);
    const reading = reader.until(1);
    // Each batch without a match lets others run first.
    for (let turn = 0; turn < 5; turn++) await clock.advance(0);
    assert.equal(reader.lastId, String(state.bounds().last));
    const { events } = management.gateway.core.control;
    events.beside({ write: () => {} }).write("kill.set", { name: "x" });
    assert.equal(JSON.parse((await reading)[0]?.data ?? "").event, "kill.set");
  });

  test("a quiet stream shows a sign of life every 15 s", async () => {
    await start();
    const reader = await open();
    for (let beat = 1; beat <= 3; beat++) {
      const taken = reader.take();
      await clock.advance(BEAT - 1);
      assert.equal(reader.text.split(": heartbeat").length, beat);
      await clock.advance(1);
      await taken;
      assert.equal(reader.text.split(": heartbeat").length, beat + 1);
    }
    assert.equal(reader.events.length, 0);
  });

  test("a reader that takes nothing while something waits is told, and its stream ends", async () => {
    await start();
    const reader = await open();
    const idle = await open();
    void idle.toEnd();
    await clock.advance(10 * 60_000);
    report();
    await clock.advance(60_000);
    assert.equal(openStreams(), "2");
    await clock.advance(15_000);
    assert.equal(openStreams(), "1");
    const events = await reader.toEnd();
    assert.deepEqual(events.map(({ event }) => event), ["slow"]);
    const slow = management.log.find(({ event }) => event === "management.slow_reader");
    assert.deepEqual(slow?.fields, { by: "grafana", address: "127.0.0.1", lost: 0 });
    // The next reader comes back with what it has, and nothing is missing.
    const again = await open(`${EVENTS}?after=${state.bounds().last - 2}`);
    assert.equal((await again.until(2)).length, 2);
  });

  test("a reader that keeps taking is never slow", async () => {
    await start();
    const reader = await open();
    for (let minute = 0; minute < 10; minute++) {
      report();
      await reader.until(minute + 1);
      await clock.advance(59_000);
    }
    assert.equal(openStreams(), "1");
  });

  proves(["S3"], "a token that is taken away ends its streams with the next event", async () => {
    await start();
    const [reader, other] = [await open(), await open(EVENTS, { token: TOKENS.admin })];
    const reading = reader.toEnd();
    await settle();
    const { tokens } = management.settings;
    management.settings = {
      ...management.settings,
      tokens: tokens.filter(({ name }) => name !== "grafana"),
    };
    report();
    assert.deepEqual((await reading).map(({ event }) => event), ["unauthorized"]);
    assert.deepEqual((await other.until(1)).map(({ event }) => event), ["event"]);
  });

  test("a token that expires ends its streams with the next sign of life", async () => {
    await start();
    const token = { name: "short", scope: "read", value: TOKENS.wrong } as const;
    management.settings = {
      ...management.settings,
      tokens: [{ ...token, expires: clock.now() + 20_000 }],
    };
    const reader = await open(EVENTS, { token: TOKENS.wrong });
    const reading = reader.toEnd();
    await clock.advance(BEAT);
    assert.equal(openStreams(), "1");
    await clock.advance(BEAT);
    assert.deepEqual((await reading).map(({ event }) => event), ["unauthorized"]);
    assert.equal(openStreams(), "0");
  });

  test("rotation does not end a stream: another entry with the same token is as good", async () => {
    await start();
    const reader = await open();
    management.settings = {
      ...management.settings,
      tokens: [{ name: "renamed", scope: "read", value: TOKENS.read }],
    };
    report();
    assert.equal((await reader.until(1))[0]?.event, "event");
  });

  test("at most 64 at once, and each that leaves makes room", async () => {
    await start();
    const readers: Reader[] = [];
    for (let count = 0; count < 64; count++) readers.push(await open(count % 2 ? EVENTS : CALLS));
    const refused = await management.ask("GET", EVENTS, { token: TOKENS.read });
    assert.deepEqual([refused.status, refused.json.error.code], [503, "OVERLOADED"]);
    assert.equal(refused.headers["retry-after"], "5");
    await readers[0]?.cancel();
    await open();
    assert.equal(openStreams(), "64");
  });

  test("a hundred reconnects see each event once and leave nothing behind", async () => {
    await start();
    const seen: number[] = [];
    const timers = clock.pending;
    let from = state.bounds().last;
    const first = from + 1;
    for (let round = 0; round < 100; round++) {
      report(7);
      const reader = await open(EVENTS, { headers: { "last-event-id": String(from) } });
      const events = await reader.until(7);
      seen.push(...cursors(events));
      from = seen.at(-1) ?? 0;
      // They go while they do nothing, while they are about to wait for more, or while they wait.
      if (round % 3 > 0) await settle();
      if (round % 3 > 0) void reader.take();
      if (round % 3 > 1) await settle();
      await reader.cancel();
      await settle();
    }
    assert.deepEqual(seen, range(first, first + 699));
    assert.equal(openStreams(), "0");
    assert.equal(clock.pending, timers);
  });

  test("the end of the gateway is told, and nothing is opened any more", async () => {
    await start();
    const readers = [await open(), await open(CALLS)];
    management.manage.closeStreams();
    for (const reader of readers) {
      assert.deepEqual((await reader.toEnd()).map(({ event }) => event), ["stopping"]);
    }
    const refused = await management.ask("GET", CALLS, { token: TOKENS.read });
    assert.deepEqual([refused.status, refused.json.error.code], [503, "STOPPING"]);
    const status = await management.ask("GET", "/manage/v1/status", { token: TOKENS.read });
    assert.equal(status.status, 200);
  });

  test("an event log that cannot be read ends the stream and says so", async () => {
    await start();
    const reader = await open();
    const { events } = management.gateway.core.control;
    const after = state.eventsAfter.bind(state);
    state.eventsAfter = () => {
      throw new Error("disk I/O error");
    };
    events.beside({ write: () => {} }).write("backend.ready", {});
    assert.deepEqual((await reader.toEnd()).map(({ event }) => event), ["failed"]);
    state.eventsAfter = after;
    const failed = management.log.find(({ event }) => event === "state.failed");
    assert.match(String(failed?.fields["reason"]), /disk I\/O error/);
  });

  describe("of calls", () => {
    /** Calls as the core would report them. */
    let publish: (call: CallRecord) => void;
    let watchers: number;

    async function startCalls(): Promise<void> {
      const takers = new Set<(call: CallRecord) => void>();
      publish = (call) => takers.forEach((take) => take(call));
      await start({
        control: {
          onCall: (take) => {
            takers.add(take);
            watchers = takers.size;
            return () => {
              takers.delete(take);
              watchers = takers.size;
            };
          },
        },
      });
    }

    test("come as they end, filtered by the server", async () => {
      await startCalls();
      const reader = await open(`${CALLS}?filter=${encodeURIComponent("duration:>500ms")}`);
      for (const durationMs of [1, 600, 2, 700]) publish({ ...CALL, durationMs });
      const events = await reader.until(2);
      assert.deepEqual(events.map(({ event }) => event), ["call", "call"]);
      assert.deepEqual(events.map(({ data }) => JSON.parse(data).durationMs), [600, 700]);
      await reader.cancel();
      assert.equal(watchers, 0);
    });

    test("that nobody reads are bounded; the reader learns how many it lost", async () => {
      await startCalls();
      const reader = await open(CALLS);
      for (let index = 0; index < 1500; index++) publish({ ...CALL, durationMs: index });
      const events = await reader.toEnd();
      assert.equal(events.length, 1001);
      const last = events.at(-1);
      assert.equal(last?.event, "slow");
      assert.equal(JSON.parse(last?.data ?? "").lost, 500);
      assert.equal(watchers, 0);
    });

    test("that wait for a minute end the stream, and all of them are lost", async () => {
      await startCalls();
      const reader = await open(CALLS);
      for (let index = 0; index < 10; index++) publish(CALL);
      await clock.advance(75_000);
      const events = await reader.toEnd();
      assert.deepEqual(events.map(({ event }) => event), ["slow"]);
      assert.equal(JSON.parse(events[0]?.data ?? "").lost, 10);
      assert.match(
        management.gateway.telemetry.expose(undefined).text,
        /sentinel_stream_events_dropped_total\{kind="management_events"\} 10\n/,
      );
    });
  });
});
