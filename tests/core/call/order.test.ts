import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { STEPS } from "../../../src/core/call/methods.ts";
import { ORDER } from "../../../src/core/call/order.ts";

describe("order of the line", () => {
  const position = new Map(ORDER.map(({ step }, index) => [step, index]));

  it("every method takes its stages in this order and ends with an answer", () => {
    assert.ok(STEPS.size > 10);
    for (const [method, steps] of STEPS) {
      const positions = steps.map((step) => position.get(step) ?? -1);
      assert.deepEqual(positions, [...positions].sort((a, b) => a - b), method);
      assert.ok(["answer", "result"].includes(steps.at(-1) as string), method);
    }
  });

  it("every step has a reason, and what a method sends is always preceded by finding its target", () => {
    for (const { step, why } of ORDER) assert.ok(why.length > 20, step);
    for (const [method, steps] of STEPS) {
      if (steps.includes("forward")) {
        assert.deepEqual(steps.slice(0, 2), ["resolve", "limit"], method);
      }
    }
  });
});
