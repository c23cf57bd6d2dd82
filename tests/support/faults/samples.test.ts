import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { floorOf, slopeOf } from "./samples.ts";

/** Memory with a collector: it grows by `perUnit`, and in between by what is collected. */
function sawtooth(perUnit: number) {
  return Array.from({ length: 120 }, (_, at) => ({ at, value: 100 + at * perUnit + at % 6 * 3 }));
}

describe("the slope of samples", () => {
  it("is what grows, not what is collected", () => {
    const flat = slopeOf(floorOf(sawtooth(0), 6));
    assert.deepEqual([flat.growth, flat.error], [0, 0]);
    const growing = slopeOf(floorOf(sawtooth(0.5), 6));
    assert.ok(Math.abs(growing.growth - 0.5) < 1e-9);
  });

  it("says when there is too little to know", () => {
    assert.equal(slopeOf([{ at: 0, value: 1 }, { at: 1, value: 9 }]).error, Infinity);
  });
});
