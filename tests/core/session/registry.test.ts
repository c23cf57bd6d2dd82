import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EventStream } from "../../../src/core/session/event_stream.ts";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { sessionKit } from "./session_kit.ts";

function setUp(max = 10) {
  return sessionKit({ bounds: { max } });
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

  it("keeps streams alive with one comment in every heartbeat", async () => {
    const { sessions, clock } = setUp();
    const session = sessions.open("streamable_http", undefined, ANONYMOUS);
    const stream = new EventStream({ key: "s" });
    session.addStream(stream);
    const body = stream.open();
    await clock.advance(45_000);
    session.close("test");
    assert.equal((await new Response(body).text()).match(/: keep-alive/g)?.length, 3);
  });

  it("says that a client has gone that takes nothing for some heartbeats", async () => {
    const { sessions, clock, log } = setUp();
    const [gone, there] = ["gone", "there"].map((key) => {
      const session = sessions.open("streamable_http", undefined, ANONYMOUS);
      const stream = new EventStream({ key });
      session.addStream(stream);
      return { session, stream, reader: stream.open().getReader() };
    });
    assert.ok(gone !== undefined && there !== undefined);
    for (let beat = 0; beat < 7; beat++) {
      await clock.advance(15_000);
      await there.reader.read();
    }
    assert.deepEqual([gone.stream.attached, there.stream.attached], [false, true]);
    const { ref: session } = gone.session;
    assert.deepEqual(log, [
      { event: "session.vanished", fields: { session, transport: "streamable_http" } },
    ]);
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
    sessions.open("http_sse", undefined, ANONYMOUS);
    const active = () => telemetry.read("sentinel_sessions_active").map(({ value }) => value);
    assert.deepEqual(active(), [1, 1]);
    sessions.close("stopping");
    assert.deepEqual([sessions.size, ...active()], [0, 0, 0]);
    assert.equal(clock.pending, 0);
  });
});
