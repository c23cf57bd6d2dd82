import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EventStream } from "../../../src/core/session/event_stream.ts";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { Sessions } from "../../../src/core/session/registry.ts";
import { MemorySessionStore } from "../../../src/stores/memory/session_store.ts";
import { systemRandom } from "../../../src/hosts/random.ts";
import { Registry } from "../../../src/telemetry/registry.ts";
import { FakeClock } from "../../support/fake_clock.ts";

function setUp(max = 10) {
  const clock = new FakeClock();
  const closed: string[] = [];
  const telemetry = new Registry();
  const sessions = new Sessions({
    clock,
    random: systemRandom,
    instance: "0123456789ab",
    store: new MemorySessionStore({ clock, random: systemRandom }),
    telemetry,
    bounds: () => ({ max, idleMs: 30_000, heartbeatMs: 15_000 }),
    onOpen: () => {},
    onRoles: () => {},
    onClose: (session) => closed.push(session.id),
  });
  return { clock, sessions, closed, telemetry };
}

describe("Sessions", () => {
  it("gives ids that cannot be guessed and are never the same (T21)", () => {
    const { sessions } = setUp(2000);
    const ids = new Set(
      Array.from({ length: 1000 }, () => sessions.open("streamable_http", undefined, ANONYMOUS).id),
    );
    assert.equal(ids.size, 1000);
    for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
  });

  it("finds a session only at its own front and toolset", () => {
    const { sessions } = setUp();
    const { id } = sessions.open("streamable_http", "small", ANONYMOUS);
    assert.ok(
      sessions.find(id, { front: "streamable_http", toolset: "small", principal: ANONYMOUS }) !==
        undefined,
    );
    assert.equal(
      sessions.find(id, { front: "streamable_http", toolset: undefined, principal: ANONYMOUS }),
      undefined,
    );
    assert.equal(
      sessions.find(id, { front: "http_sse", toolset: "small", principal: ANONYMOUS }),
      undefined,
    );
    assert.equal(
      sessions.find("other", { front: "streamable_http", toolset: "small", principal: ANONYMOUS }),
      undefined,
    );
  });

  it("closes idle sessions, keeps busy ones", async () => {
    const { sessions, clock, closed } = setUp();
    const idle = sessions.open("streamable_http", undefined, ANONYMOUS);
    const calling = sessions.open("streamable_http", undefined, ANONYMOUS);
    calling.load.inFlight = 1;
    const pipe = sessions.open("stdio", undefined, ANONYMOUS);
    const streaming = sessions.open("streamable_http", undefined, ANONYMOUS);
    const stream = new EventStream({ key: "s" });
    streaming.addStream(stream);
    stream.open();
    await clock.advance(31_000);
    assert.deepEqual(closed, [idle.id]);
    assert.ok(!calling.closed && !pipe.closed && !streaming.closed);
    stream.end();
    await clock.advance(31_000);
    assert.ok(streaming.closed);
  });

  it("keeps streams alive with a comment at every heartbeat", async () => {
    const { sessions, clock } = setUp();
    const session = sessions.open("streamable_http", undefined, ANONYMOUS);
    const stream = new EventStream({ key: "s" });
    session.addStream(stream);
    const body = stream.open();
    await clock.advance(46_000);
    session.close("test");
    assert.equal((await new Response(body).text()).match(/: keep-alive/g)?.length, 3);
  });

  it("refuses more than the bound, and takes one again when one has gone", () => {
    const { sessions } = setUp(1);
    const session = sessions.open("stdio", undefined, ANONYMOUS);
    assert.throws(() => sessions.open("stdio", undefined, ANONYMOUS), { code: "OVERLOADED" });
    session.close("gone");
    sessions.open("stdio", undefined, ANONYMOUS);
  });

  it("counts what is open and ends everything at once", () => {
    const { sessions, telemetry, clock } = setUp();
    sessions.open("stdio", undefined, ANONYMOUS);
    sessions.open("http_sse", undefined, ANONYMOUS).load.inFlight = 2;
    assert.equal(sessions.inFlight, 2);
    const active = () => telemetry.read("sentinel_sessions_active").map(({ value }) => value);
    assert.deepEqual(active(), [1, 1]);
    sessions.close("stopping");
    assert.deepEqual([sessions.size, ...active()], [0, 0, 0]);
    assert.equal(clock.pending, 0);
  });
});
