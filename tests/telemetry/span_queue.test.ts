import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { CollectorHealth } from "../../src/telemetry/collector_health.ts";
import { type SendFailure, SpanQueue } from "../../src/telemetry/span_queue.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";

const DELAY = 5000;

describe("spans on their way to a collector", () => {
  let clock: FakeClock;
  let sent: number[][];
  let counts: Record<string, number>;
  /** What the collector says; undefined: it takes them. */
  let answer: () => Promise<SendFailure | undefined>;
  let queue: SpanQueue<number>;

  beforeEach(() => {
    clock = new FakeClock();
    sent = [];
    counts = {};
    answer = () => Promise.resolve(undefined);
    queue = new SpanQueue<number>({
      clock,
      delayMs: DELAY,
      send: (spans) => {
        sent.push([...spans]);
        return answer();
      },
      count: (result, spans) => counts[result] = (counts[result] ?? 0) + spans,
    });
  });

  const away = () => Promise.resolve({ reason: "refused", isFinal: false });
  const many = (spans: number) => Array.from({ length: spans }, (_, n) => n);

  it("they are gathered for a while", async () => {
    queue.add([1]);
    await clock.advance(DELAY - 1);
    queue.add([2, 3]);
    assert.deepEqual(sent, []);
    await clock.advance(1);
    assert.deepEqual(sent, [[1, 2, 3]]);
    assert.deepEqual(counts, { exported: 3 });
    await clock.advance(10 * DELAY);
    assert.equal(sent.length, 1);
    assert.equal(clock.pending, 0);
  });

  it("a full batch goes at once, one at a time", async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    answer = () => promise;
    for (const span of many(1500)) queue.add([span]);
    await settle();
    assert.deepEqual(sent.map(({ length }) => length), [512]);
    answer = () => Promise.resolve(undefined);
    resolve(undefined);
    await settle();
    assert.deepEqual(sent.map(({ length }) => length), [512, 512, 476]);
    assert.deepEqual(sent.flat(), many(1500));
  });

  it("while the collector is away they wait, and come in order when it is back", async () => {
    answer = away;
    queue.add(many(600));
    await settle();
    await clock.advance(3 * DELAY);
    assert.deepEqual(counts, {});
    assert.ok(sent.every(({ length }) => length === 512));
    assert.equal(sent.length, 4, "at once, then once in each interval");
    queue.add([600]);
    answer = () => Promise.resolve(undefined);
    sent = [];
    await clock.advance(DELAY);
    assert.deepEqual(sent.flat(), many(601));
    assert.deepEqual(counts, { exported: 601 });
  });

  it("those that do not fit are dropped and counted", async () => {
    answer = away;
    for (let n = 0; n < 100; n++) queue.add(many(100));
    await settle();
    assert.deepEqual(counts, { dropped: 10_000 - 8192 });
    answer = () => Promise.resolve(undefined);
    await clock.advance(DELAY);
    assert.deepEqual(counts, { dropped: 10_000 - 8192, exported: 8192 });
  });

  it("what the collector will never take is dropped, the others go on", async () => {
    const answers = [{ reason: "status 400", isFinal: true }, undefined];
    answer = () => Promise.resolve(answers.shift());
    queue.add(many(600));
    await settle();
    assert.deepEqual(counts, { dropped: 512, exported: 88 });
  });

  it("the end sends what is left", async () => {
    queue.add([1, 2]);
    await queue.close(1000);
    assert.deepEqual(sent, [[1, 2]]);
    queue.add([3]);
    await clock.advance(10 * DELAY);
    assert.deepEqual(counts, { exported: 2, dropped: 1 });
    assert.equal(clock.pending, 0);
  });

  it("the end does not wait for a collector that says nothing", async () => {
    answer = () => new Promise(() => {});
    queue.add([1, 2]);
    const closed = queue.close(1000);
    await clock.advance(1000);
    await closed;
    assert.deepEqual(counts, { dropped: 2 });
  });
});

describe("a collector that is away", () => {
  it("is told of once, and once when it is back", () => {
    const told: string[] = [];
    const health = new CollectorHealth({
      signal: "traces",
      endpoint: "http://collector",
      log: {
        write: (event, fields = {}) => void told.push(`${event} ${String(fields["reason"])}`),
      },
    });
    health.worked();
    health.failed("refused");
    health.failed("another");
    health.worked();
    health.worked();
    health.failed("again");
    assert.deepEqual(told, [
      "telemetry.failed refused",
      "telemetry.recovered undefined",
      "telemetry.failed again",
    ]);
  });
});
