import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { beatAfter, beatsOf, loopsFor } from "../../bench/pace.ts";
import { ECHO, QUICK } from "../../bench/work.ts";

describe("beatAfter()", () => {
  it("is one beat later while the loop keeps up", () => {
    assert.equal(beatAfter(100, 22, 100), 122);
    assert.equal(beatAfter(100, 22, 130), 122);
  });

  it("leaves out the beats a late loop has missed, and never moves off the beat", () => {
    assert.equal(beatAfter(100, 22, 150), 144);
    assert.equal(beatAfter(100, 22, 500) % 22, 100 % 22);
  });
});

describe("loops", () => {
  it("of an echo are as many as calls are under way, and never wait", () => {
    assert.equal(loopsFor(ECHO, 32), 32);
    assert.equal(beatsOf(ECHO, 0, 0), undefined);
  });

  it("of a slow tool are more, because some of them wait", () => {
    assert.equal(loopsFor(QUICK, 32), 35);
  });

  it("of a slow tool begin a share of the beat apart", async () => {
    const work = { tool: "sleep", ms: 30 } as const;
    const start = performance.now();
    const order: number[] = [];
    const begin = async (share: number) => {
      await beatsOf(work, start, share)?.next();
      order.push(share);
    };
    await Promise.all([0.8, 0.4, 0].map(begin));
    assert.deepEqual(order, [0, 0.4, 0.8]);
  });
});
