/** Clients that leave early in the short form; the full one is `npm run proof:leavers`. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { leavers } from "../proofs/leavers/leavers.ts";
import { COMBINATIONS } from "../proofs/leavers/points.ts";

describe("clients that leave at every point of a call", () => {
  it("cancel what they can cancel, and leave nothing behind", { timeout: 120_000 }, async () => {
    const { problems, leavers: left, cancelled, cameBack } = await leavers({
      leavers: COMBINATIONS,
      rate: 100,
      others: 50,
      parts: 1,
    });
    assert.deepEqual(problems, []);
    assert.equal(left, COMBINATIONS);
    // Of right after the body nobody knows which were taken.
    assert.ok(cancelled >= 64, `${cancelled} were cancelled`);
    assert.ok(cameBack > 0);
  });
});
