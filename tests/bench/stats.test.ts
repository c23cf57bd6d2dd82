import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { median, pairedRatio, percentile } from "../../bench/stats.ts";

describe("bench statistics", () => {
  it("median() takes the middle value of an odd number, in any order", () => {
    assert.equal(median([9, 1, 5]), 5);
  });

  it("median() takes the mean of the two middle values of an even number", () => {
    assert.equal(median([4, 1, 3, 100]), 3.5);
  });

  it("median() of nothing is NaN", () => {
    assert.ok(Number.isNaN(median([])));
  });

  it("percentile() takes the nearest rank", () => {
    const values = Array.from({ length: 100 }, (_, index) => index + 1);
    assert.equal(percentile(values, 0.5), 50);
    assert.equal(percentile(values, 0.95), 95);
    assert.equal(percentile([7], 0.99), 7);
  });

  it("pairedRatio() compares round by round, so a slow round cancels out", () => {
    assert.equal(pairedRatio([20, 2000, 40], [10, 1000, 20]), 2);
  });
});
