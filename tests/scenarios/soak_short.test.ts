/** The soak in its short form: too short to see memory grow, long enough to see something left behind. */
import assert from "node:assert/strict";
import { describe } from "node:test";
import { soak } from "../proofs/soak.ts";
import { proves } from "../support/proves.ts";

describe("a gateway under mixed faults", () => {
  proves(["U11", "X4"], "keeps to the laws of the ledgers and leaves nothing behind", async () => {
    const { problems, calls, series } = await soak({ minutes: 1 / 3, rate: 100 });
    assert.deepEqual(problems, []);
    assert.ok(calls > 0 && series > 0);
  }, { timeout: 240_000 });
});
