import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PendingAnswers } from "../../../src/core/session/pending_answers.ts";

class Answer {
  beats = 0;
  beat(): void {
    this.beats++;
  }
}

describe("answers that are pending", () => {
  it("give their first sign of life at the second sweep they see, and at each heartbeat then", () => {
    const answers = new PendingAnswers();
    const [early, late] = [new Answer(), new Answer()];
    answers.add(early);
    answers.sweep(true);
    answers.add(late);
    assert.deepEqual([early.beats, late.beats], [0, 0]);
    answers.sweep(false);
    assert.deepEqual([early.beats, late.beats], [1, 0]);
    answers.sweep(false);
    assert.deepEqual([early.beats, late.beats], [1, 1]);
    answers.sweep(true);
    assert.deepEqual([early.beats, late.beats], [2, 2]);
  });

  it("give none once they are given", () => {
    const answers = new PendingAnswers();
    const [young, waiting, begun] = [new Answer(), new Answer(), new Answer()];
    answers.add(begun);
    answers.sweep(false);
    answers.add(waiting);
    answers.sweep(false);
    answers.add(young);
    for (const one of [young, waiting, begun]) answers.delete(one);
    answers.sweep(true);
    answers.sweep(true);
    assert.deepEqual([young.beats, waiting.beats, begun.beats], [0, 0, 1]);
  });

  it("leave at their first sign when they need no others", () => {
    const answers = new PendingAnswers();
    let beats = 0;
    const once = {
      beat: () => {
        beats++;
        answers.delete(once);
      },
    };
    answers.add(once);
    for (let sweep = 0; sweep < 5; sweep++) answers.sweep(true);
    assert.equal(beats, 1);
  });
});
