/** Overload of a backend in the short form; `npm run proof:overload` also takes the gateway's own time away. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { failFast } from "../proofs/overload/fail_fast.ts";
import { overload } from "../proofs/overload/overload.ts";

const SHORT = { connections: 300, isPinned: false, stepMs: 400, usualMs: 2000, overloadMs: 1500 };
const TIMEOUT = { timeout: 120_000 };

describe("five times the load of the peak", () => {
  it("leaves what a backend can do as it is, and refuses the rest", TIMEOUT, async () => {
    const report = await overload({ ...SHORT, bottleneck: "backend", from: 160 });
    const { problems, share, overload: { refused } } = report;
    assert.deepEqual(problems, []);
    // Each of its calls takes longer on a machine that does other things, too: collapse is what must not be.
    assert.ok(share >= 0.25, `goodput ÷ peak: ${share}`);
    assert.ok((refused["OVERLOADED 503"] ?? 0) > 0, JSON.stringify(refused));
  });
});

describe("a backend that does not answer", () => {
  it("is asked hardly anything twice, and its calls are refused at once", TIMEOUT, async () => {
    const report = await failFast({ rate: 60, shakySeconds: 2, silentSeconds: 2 });
    assert.deepEqual(report.problems, []);
    assert.ok(report.retried > 0);
    assert.ok(report.refusals > 0);
  });
});
