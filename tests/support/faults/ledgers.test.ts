/** The laws find what they are there to find: ledgers that break each of them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { laws, type Ledgers, type RowC } from "./ledgers.ts";

const CALL: RowC = {
  nonce: "7",
  who: "ann",
  tool: "call",
  at: 0,
  outcome: "answered",
  ms: 3,
  status: 200,
  answer: { nonce: "7", who: "ann" },
};
const WHOLE: Ledgers = {
  a: [{ nonce: "7", outcome: "ok" }],
  b: [{ nonce: "7", tool: "call" }],
  c: [CALL],
};
const OPTIONS = { deadlineMs: 1000, retryable: ["read"] };

function breaches(change: Partial<Ledgers>): string[] {
  return laws({ ...WHOLE, ...change }, OPTIONS).map((breach) => breach.slice(0, 2));
}

function withCall(change: Partial<RowC>): { readonly c: readonly RowC[] } {
  return { c: [{ ...CALL, ...change }] };
}

describe("the laws between the ledgers", () => {
  it("hold for what is whole, for what broke off, and for a refusal before there was a call", () => {
    const broken = { ...CALL, nonce: "8", outcome: "broken", status: 0 } as const;
    const refused = { ...CALL, nonce: "9", outcome: "error", status: 503, executed: "no" } as const;
    const whole = { ...WHOLE, c: [CALL, broken, refused] };
    assert.deepEqual(laws(whole, OPTIONS), []);
  });

  it("L1: an answer without a row, and one whose row says something else", () => {
    assert.deepEqual(breaches({ a: [], b: [] }), ["L1"]);
    assert.deepEqual(breaches({ a: [{ nonce: "7", outcome: "unknown" }] }), ["L1"]);
    assert.deepEqual(breaches(withCall({ outcome: "error", code: -31021 })), ["L1"]);
  });

  it("L2: a call that reached its backend unrecorded", () => {
    assert.deepEqual(breaches({ b: [...WHOLE.b, { nonce: "8", tool: "call" }] }), ["L2"]);
  });

  it("L3: a call with two rows, whoever was answered", () => {
    const gone = withCall({ outcome: "broken", status: 0 });
    assert.deepEqual(breaches({ a: [...WHOLE.a, ...WHOLE.a], ...gone }), ["L3"]);
  });

  it("L4: a call that is pending, and one that took longer than it may", () => {
    assert.deepEqual(breaches(withCall({ outcome: "pending", status: 0 })), ["L4"]);
    assert.deepEqual(breaches(withCall({ ms: 2001 })), ["L4"]);
    assert.deepEqual(breaches(withCall({ ms: 2000 })), []);
  });

  it("L4: what the machine gave to others is not the gateway's", () => {
    const late = { ...WHOLE, ...withCall({ ms: 2500 }) };
    const judged = (waitedMs: number) => laws(late, { deadlineMs: 1000, waited: () => waitedMs });
    assert.deepEqual(judged(500), []);
    assert.equal(judged(499).length, 1);
  });

  it("L5: a call that was sent twice, unless it may be; one that ran although it is denied", () => {
    assert.deepEqual(breaches({ b: [...WHOLE.b, ...WHOLE.b] }), ["L5"]);
    const read = { nonce: "7", tool: "read" };
    assert.deepEqual(breaches({ b: [read, read] }), []);
    const denied = withCall({ outcome: "error", executed: "no" });
    assert.deepEqual(breaches({ a: [{ nonce: "7", outcome: "backend_error" }], ...denied }), [
      "L5",
    ]);
  });

  it("L6: the answer of another call, or of somebody else's", () => {
    assert.deepEqual(breaches(withCall({ answer: { nonce: "8", who: "ann" } })), ["L6"]);
    assert.deepEqual(breaches(withCall({ answer: { nonce: "7", who: "bob" } })), ["L6"]);
  });
});
