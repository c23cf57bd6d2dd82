import assert from "node:assert/strict";
import { SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { beforeEach, describe, it } from "node:test";
import { isInSample } from "../../src/telemetry/sample.ts";
import { type EndedSpan, Tail } from "../../src/telemetry/tail.ts";

interface Made extends EndedSpan {
  readonly id: string;
}

let made = 0;

function span(
  kind: SpanKind,
  { ms = 1, parent, failed = false, sampled = false, name = "tools/call a" }: {
    readonly ms?: number;
    readonly parent?: Made;
    readonly failed?: boolean;
    readonly sampled?: boolean;
    readonly name?: string;
  } = {},
): Made {
  const id = (++made).toString(16).padStart(16, "0");
  const flags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return {
    id,
    name,
    kind,
    attributes: {},
    status: { code: failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    duration: [Math.floor(ms / 1000), Math.round(ms % 1000 * 1e6)],
    spanContext: () => ({ traceId: "a".repeat(32), spanId: id, traceFlags: flags }),
    ...(parent === undefined ? {} : { parentSpanContext: parent.spanContext() }),
  };
}

const call = (options = {}) => span(SpanKind.SERVER, options);
const request = (parent: Made, options = {}) => span(SpanKind.CLIENT, { ...options, parent });

describe("which spans are kept", () => {
  let kept: string[];
  let counts: Record<string, number>;
  let tail: Tail<Made>;

  beforeEach(() => {
    kept = [];
    counts = {};
    tail = new Tail<Made>({
      keep: (spans) => kept.push(...spans.map(({ id }) => id)),
      count: (result, spans) => counts[result] = (counts[result] ?? 0) + spans,
    });
  });

  /** One after the other, as a call makes them. */
  function run(own: Made, ...requests: readonly Made[]): void {
    tail.started(own);
    for (const each of requests) {
      tail.started(each);
      tail.ended(each);
    }
    tail.ended(own);
  }

  /** So many calls of a usual time. */
  function usual(calls: number, ms = 10, name = "tools/call a"): void {
    for (let n = 0; n < calls; n++) run(call({ ms: ms * (0.8 + n % 5 / 10), name }));
  }

  it("those of a sampled trace, as soon as they end", () => {
    const own = call({ sampled: true });
    const asked = request(own, { sampled: true });
    tail.started(own);
    tail.ended(asked);
    assert.deepEqual(kept, [asked.id]);
    tail.ended(own);
    assert.deepEqual(kept, [asked.id, own.id]);
    assert.equal(tail.isKept(own.spanContext()), true);
    assert.deepEqual(counts, {});
  });

  it("of a trace that is not, none, when all is as usual", () => {
    const own = call();
    run(own, request(own), request(own));
    assert.deepEqual(kept, []);
    assert.equal(tail.isKept(own.spanContext()), false);
    assert.deepEqual(counts, { sampled_out: 3 });
  });

  it("all of a call that failed, once it has ended", () => {
    const own = call({ failed: true });
    const asked = request(own);
    tail.started(own);
    tail.ended(asked);
    assert.deepEqual(kept, []);
    tail.ended(own);
    assert.deepEqual(kept, [asked.id, own.id]);
    assert.equal(tail.isKept(own.spanContext()), true);
  });

  it("not because a request failed that was answered when it was sent again", () => {
    const own = call();
    run(own, request(own, { failed: true }), request(own));
    assert.deepEqual(kept, []);
  });

  it("all of a call that is slower than 99 of 100 of its tool", () => {
    usual(500);
    kept.length = 0;
    const slow = call({ ms: 100 });
    run(slow, request(slow, { ms: 99 }));
    assert.equal(kept.length, 2);
  });

  it("of usual calls hardly one in a hundred", () => {
    usual(5000);
    assert.ok(kept.length <= 50, String(kept.length));
  });

  it("what is slow is slow for its own tool", () => {
    usual(500, 10, "tools/call quick");
    usual(500, 1000, "tools/call slow");
    kept.length = 0;
    run(call({ ms: 1000, name: "tools/call slow" }));
    assert.deepEqual(kept, []);
    run(call({ ms: 1000, name: "tools/call quick" }));
    assert.equal(kept.length, 1);
  });

  it("nothing is slow before enough is known, and what is usual may change", () => {
    run(call({ ms: 60_000 }));
    usual(50);
    run(call({ ms: 60_000 }));
    assert.deepEqual(kept, []);
    usual(3000);
    usual(3000, 500);
    kept.length = 0;
    run(call({ ms: 500 }));
    assert.deepEqual(kept, []);
  });

  it("of one call no more than a bound", () => {
    const own = call({ failed: true });
    run(own, ...Array.from({ length: 100 }, () => request(own)));
    assert.equal(kept.length, 65);
    assert.deepEqual(counts, { dropped: 36 });
  });

  it("of calls beyond those that are followed, only the call itself", () => {
    const open = Array.from({ length: 10_000 }, () => call({ failed: true }));
    for (const each of open) tail.started(each);
    const late = call({ failed: true });
    run(late, request(late));
    assert.deepEqual(kept, [late.id]);
    assert.deepEqual(counts, { dropped: 1 });
    for (const each of open) tail.ended(each);
    const next = call({ failed: true });
    run(next, request(next));
    assert.equal(kept.length, 10_003);
  });
});

describe("the sample", () => {
  const ids = Array.from({ length: 10_000 }, () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  });

  it("has its share of traces, the same ones each time", () => {
    const kept = ids.filter((id) => isInSample(id, 0.1));
    assert.ok(kept.length > 800 && kept.length < 1200, String(kept.length));
    assert.deepEqual(ids.filter((id) => isInSample(id, 0.1)), kept);
    assert.ok(kept.every((id) => isInSample(id, 0.5)), "a larger share has the same and more");
  });

  it("of all or none is all or none", () => {
    const edges = [...ids, "0".repeat(31) + "1", "f".repeat(32)];
    assert.equal(edges.filter((id) => isInSample(id, 1)).length, edges.length);
    assert.equal(edges.filter((id) => isInSample(id, 0)).length, 0);
  });
});
