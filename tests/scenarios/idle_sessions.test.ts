/** Idle sessions in the short form; the full one is `npm run proof:idle`. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { idleSessions } from "../proofs/idle_sessions.ts";

describe("sessions that say nothing", () => {
  it("are all kept, with their streams, while others call", { timeout: 120_000 }, async () => {
    const { problems, kept, streamsKept } = await idleSessions({
      sessions: 300,
      rate: 100,
      seconds: 2,
      samples: 1,
    });
    assert.deepEqual(problems, []);
    assert.deepEqual([kept, streamsKept], [300, 150]);
  });
});
