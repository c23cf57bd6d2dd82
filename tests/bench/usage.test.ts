import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cpuBetween } from "../../bench/usage.ts";

function usage(threads: Record<string, number>) {
  return { threads: new Map(Object.entries(threads)), rssKib: 0 };
}

describe("cpuBetween()", () => {
  it("adds up what each thread used since the first reading", () => {
    assert.equal(cpuBetween(usage({ a: 100, b: 50 }), usage({ a: 130, b: 51 })), 31);
  });

  it("counts a thread that began in between from nothing", () => {
    assert.equal(cpuBetween(usage({ a: 100 }), usage({ a: 110, b: 7 })), 17);
  });

  it("does not take the past of a thread that has ended off the others", () => {
    assert.equal(cpuBetween(usage({ a: 100, b: 9000 }), usage({ a: 110 })), 10);
  });
});
