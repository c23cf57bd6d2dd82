/** Slow clients in the short form; the full one is `npm run proof:slow`. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { slowClients } from "../proofs/slow/slow_clients.ts";

describe("clients that are slow in every way at once", () => {
  it("leave nothing behind and take no answer from others", { timeout: 120_000 }, async () => {
    const { problems, fates } = await slowClients({
      each: 6,
      perSecond: 60,
      rate: 50,
      seconds: 1,
      attackSeconds: 6,
      // The usual loopback takes megabytes for a reader that takes nothing.
      bytes: 3_500_000,
      pauseMs: 1000,
      bodyMs: 1000,
    });
    assert.deepEqual(problems, []);
    assert.equal(fates.body.told.count >= 6, true);
  });
});
