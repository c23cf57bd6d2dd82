import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { systemRandom } from "../../../src/hosts/random.ts";
import { MemorySessionStore } from "../../../src/stores/memory/session_store.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { record, sessionId, sessionStoreSuite } from "../session_store_suite.ts";

describe("sessions in memory", () => {
  const open = (clock = new FakeClock()) => new MemorySessionStore({ clock, random: systemRandom });

  sessionStoreSuite(() => open(), { keepsStreams: false });

  it("forget what was not seen for long", async () => {
    const clock = new FakeClock();
    const store = open(clock);
    await store.put(record("a"), 1000);
    await clock.advance(600);
    await store.touch([sessionId("a")], clock.now(), 1000);
    await clock.advance(600);
    assert.notEqual(await store.get(sessionId("a")), undefined);
    await clock.advance(400);
    assert.equal(await store.get(sessionId("a")), undefined);
  });

  it("of a gateway alone keep no records: it has its sessions itself", async () => {
    const clock = new FakeClock();
    const store = new MemorySessionStore({ clock, random: systemRandom, isShared: false });
    await store.put(record("a"), 1000);
    assert.equal(await store.get(sessionId("a")), undefined);
  });
});
