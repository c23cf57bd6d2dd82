import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { EventStream } from "../../../src/core/session/event_stream.ts";
import { sessionKit } from "./session_kit.ts";

const SESSIONS = 1500;
const HEARTBEAT_MS = 15_000;

/** Sessions whose streams note when they are beaten, milliseconds. */
function setUp() {
  const { clock, sessions } = sessionKit({
    bounds: { max: SESSIONS, heartbeatMs: HEARTBEAT_MS, idleMs: 3_600_000 },
  });
  const beats: number[][] = [];
  for (let number = 0; number < SESSIONS; number++) {
    const own: number[] = [];
    beats.push(own);
    const stream = new EventStream({ key: `s${number}` });
    stream.beat = () => void own.push(clock.monotonic());
    sessions.open("streamable_http", undefined, ANONYMOUS).addStream(stream);
  }
  return { clock, sessions, beats };
}

describe("heartbeats", () => {
  it("reach every session once in an interval", async () => {
    const { clock, sessions, beats } = setUp();
    await clock.advance(4 * HEARTBEAT_MS);
    for (const own of beats) {
      assert.ok(own.length === 4 || own.length === 3, `${own.length} beats`);
      for (const [index, at] of own.entries()) {
        const before = own[index - 1];
        // The goes of one second lie apart, but always in the same order.
        if (before !== undefined) assert.equal(at - before, HEARTBEAT_MS);
      }
    }
    sessions.close("test");
    assert.equal(clock.pending, 0);
  });

  it("are spread over the interval, so that no call waits for many of them", async () => {
    const { clock, beats } = setUp();
    await clock.advance(2 * HEARTBEAT_MS);
    const together = new Map<number, number>();
    for (const at of beats.flat()) together.set(at, (together.get(at) ?? 0) + 1);
    const most = Math.max(...together.values());
    assert.ok(most <= 16, `${most} beats in one go`);
  });

  it("leave out who has ended meanwhile", async () => {
    const { clock, sessions, beats } = setUp();
    await clock.advance(1000);
    const early = beats.flat().length;
    assert.ok(early > 0 && early < SESSIONS / 15, `${early} beats so far`);
    for (const session of [...sessions]) session.close("gone");
    await clock.advance(HEARTBEAT_MS);
    assert.equal(beats.flat().length, early);
  });
});
