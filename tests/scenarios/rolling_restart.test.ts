/** The rolling restart in its short form; the full one is `npm run proof:rolling`. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { rollingRestart } from "../proofs/rolling_restart.ts";

describe("two gateways behind haproxy", () => {
  it("are restarted in turn, and one is killed: no call fails, every session goes on", {
    timeout: 180_000,
  }, async () => {
    const { problems, calls, failed, streams, streamsOpened, callsAtKill } = await rollingRestart({
      restarts: 2,
      rate: 100,
      withChild: false,
    });
    assert.deepEqual(problems, []);
    assert.equal(failed, 0);
    assert.ok(calls > 0 && callsAtKill > 0);
    // Each restart ended the streams of one of the gateways.
    assert.ok(streamsOpened > streams, `${streamsOpened} of ${streams}`);
  });
});
