import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EventStream, parseEventId } from "../../../src/core/session/event_stream.ts";
import type { StoredEvent } from "../../../src/ports/event_store.ts";
import { MemoryEventStore } from "../../../src/stores/memory/event_store.ts";
import { FakeClock } from "../../support/fake_clock.ts";

function store(events = 100): MemoryEventStore {
  return new MemoryEventStore({ clock: new FakeClock(), events, keepMs: 60_000 });
}

/** Everything that can be read without waiting for more. */
async function textOf(body: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(body).text();
}

describe("EventStream", () => {
  it("writes what was sent before it was opened, with ids", async () => {
    const stream = new EventStream({ key: "1-1", store: store() });
    assert.ok(stream.send('{"a":1}'));
    const body = stream.open();
    stream.send('{"a":2}');
    stream.end();
    assert.equal(
      await textOf(body),
      'id: 1-1_1\nevent: message\ndata: {"a":1}\n\nid: 1-1_2\nevent: message\ndata: {"a":2}\n\n',
    );
  });

  it("begins with an event to come back with where the revision has it", async () => {
    const stream = new EventStream({ key: "1-2", store: store(), priming: true });
    const body = stream.open();
    stream.end();
    assert.match(await textOf(body), /^id: 1-2_1\nretry: \d+\ndata: ?\n\n$/);
  });

  it("is read by another replica in place of a connection, from an event on", async () => {
    const stream = new EventStream({ key: "1-3", store: store() });
    const body = stream.open();
    stream.send('"one"');
    stream.send('"two"');
    const read: string[] = [];
    let ends = 0;
    const reader = {
      event: ({ sequence, data }: StoredEvent) => void read.push(`${sequence} ${data}`),
      end: () => void ends++,
    };
    assert.ok(stream.canFollow(1));
    assert.ok(stream.follow(1, reader) !== undefined);
    assert.match(await textOf(body), /one[^]*two/, "the connection ends");
    assert.ok(stream.attached);
    stream.send('"three"');
    assert.deepEqual(read, ['2 "two"', '3 "three"']);
    stream.end();
    assert.deepEqual([ends, stream.attached], [1, false]);
  });

  it("keeps what comes when the other replica reads no more", () => {
    const stream = new EventStream({ key: "1-3", store: store() });
    const read: string[] = [];
    const reader = { event: ({ data }: StoredEvent) => void read.push(data), end: () => {} };
    const unfollow = stream.follow(undefined, reader);
    assert.equal(unfollow, undefined, "nothing was sent: there is nothing to go on from");
    stream.send('"one"');
    stream.follow(undefined, reader)?.();
    stream.send('"two"');
    assert.deepEqual(read, ['"one"']);
    assert.ok(!stream.canFollow(9));
    stream.follow(undefined, reader);
    assert.deepEqual(read, ['"one"', '"two"']);
  });

  it("carries the events of another stream with their ids, after what came before", async () => {
    const carrier = new EventStream({ key: "2-1", origin: "1-3" });
    const body = carrier.open();
    carrier.carry({ sequence: 7, data: '"seven"' });
    carrier.send('"without an id"');
    carrier.end();
    assert.equal(
      await textOf(body),
      'id: 1-3_7\nevent: message\ndata: "seven"\n\nevent: message\ndata: "without an id"\n\n',
    );
    const own = new EventStream({ key: "2-2", store: store() });
    own.send('"own"');
    const after = own.open({ key: "1-9", events: [{ sequence: 3, data: '"before"' }] });
    own.end();
    assert.match(await textOf(after), /^id: 1-9_3\n[^]*before[^]*id: 2-2_1\n[^]*own/);
  });

  it("goes on where a reader stopped, and never twice on two connections", async () => {
    const stream = new EventStream({ key: "1-3", store: store() });
    const first = stream.open();
    stream.send('"one"');
    stream.send('"two"');
    const second = stream.resume(1);
    assert.ok(second !== undefined);
    stream.send('"three"');
    stream.end();
    assert.doesNotMatch(await textOf(first), /three/);
    const text = await textOf(second);
    assert.doesNotMatch(text, /one/);
    assert.match(text, /two[^]*three/);
  });

  it("can be resumed after its end, and not beyond what is kept", async () => {
    const stream = new EventStream({ key: "1-4", store: store(2) });
    for (const data of ['"a"', '"b"', '"c"']) stream.send(data);
    stream.end();
    assert.ok(!stream.send('"late"'));
    assert.equal(stream.resume(0), undefined);
    assert.equal(stream.resume(99), undefined);
    assert.match(await textOf(stream.resume(1) as ReadableStream<Uint8Array>), /"b"[^]*"c"/);
    stream.drop();
    assert.equal(stream.resume(1), undefined);
  });

  it("tells when its reader leaves; with a store it takes messages all the same", async () => {
    const gone: string[] = [];
    const stream = new EventStream({
      key: "1-5",
      store: store(),
      onGone: (reason) => gone.push(reason),
    });
    await stream.open().cancel();
    assert.deepEqual(gone, ["closed"]);
    assert.ok(!stream.attached);
    assert.ok(stream.send('"kept"'));
    const bare = new EventStream({ key: "1-6" });
    await bare.open().cancel();
    assert.ok(!bare.send('"lost"'));
  });

  it("ends for a reader that is slower than a megabyte", () => {
    const gone: string[] = [];
    const stream = new EventStream({ key: "1-7", onGone: (reason) => gone.push(reason) });
    stream.open();
    for (let sent = 0; sent < 12 && stream.attached; sent++) {
      stream.send(`"${"x".repeat(100_000)}"`);
    }
    assert.deepEqual(gone, ["overflow"]);
  });

  it("sends comments and named events only to who is there", async () => {
    const stream = new EventStream({ key: "1-8" });
    stream.beat();
    stream.announce("endpoint", "/nowhere");
    const body = stream.open();
    stream.announce("endpoint", "/messages/");
    stream.beat();
    stream.end();
    assert.equal(await textOf(body), "event: endpoint\ndata: /messages/\n\n: keep-alive\n\n");
  });
});

describe("parseEventId", () => {
  it("takes our ids apart and refuses others", () => {
    assert.deepEqual(parseEventId("12-3_45"), { key: "12-3", sequence: 45 });
    for (const id of ["", "x", "1-1_", "_1", "1-1_1.5", "1 1_1", `a_${"9".repeat(16)}`]) {
      assert.equal(parseEventId(id), undefined, id);
    }
  });
});
