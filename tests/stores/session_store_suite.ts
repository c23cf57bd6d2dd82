/** What every session store must do, whatever it is made of. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionId } from "../../src/contract/ids.ts";
import type { SessionRecord, SessionStore, StreamFacts } from "../../src/ports/session_store.ts";

/** Names and values that end, escape or inject where texts are put together. */
export const HOSTILE: readonly string[] = [
  "a\r\nb",
  "*1\r\n$4\r\nPING\r\n",
  "$-1\r\n",
  "'; DROP TABLE session; --",
  '"quoted" `and` ${so on}',
  "nul\u0000in the middle",
  "100% %s %n \\0 \\",
  "🛰 \u2028 \ud800 lone",
  "__proto__",
  "*",
  "#".repeat(300),
];

export function sessionId(name: string): SessionId {
  return name as SessionId;
}

export function record(name: string, more: Partial<SessionRecord> = {}): SessionRecord {
  return {
    id: sessionId(name),
    ref: "ref",
    front: "streamable_http",
    principal: "anonymous",
    revision: "2025-11-25",
    capabilities: { elicitation: {}, list: [1, null, { a: true }] },
    initialized: true,
    subscriptions: [],
    openedAt: 1000,
    seenAt: 2000,
    ...more,
  };
}

export function facts(session: string, more: Partial<StreamFacts> = {}): StreamFacts {
  return { session: sessionId(session), requests: [], owner: "0123456789ab", ...more };
}

const KEEP_MS = 60_000;

export interface SuiteOptions {
  /** False where streams and records of one gateway only are kept. */
  readonly keepsStreams: boolean;
}

/** @param open gives an empty store, which may keep 5 events of a stream; it is closed afterwards */
export function sessionStoreSuite(
  open: () => SessionStore | Promise<SessionStore>,
  { keepsStreams }: SuiteOptions,
): void {
  const on = (name: string, run: (store: SessionStore) => Promise<void>) =>
    void test(name, async () => {
      const store = await open();
      try {
        await run(store);
      } finally {
        store.close();
      }
    });
  records(on);
  if (keepsStreams) streams(on);
}

type On = (name: string, run: (store: SessionStore) => Promise<void>) => void;

function records(on: On): void {
  on("an empty store knows no session and no stream", async (store) => {
    assert.equal(await store.get(sessionId("none")), undefined);
    assert.equal(await store.kept("none", 0), undefined);
    await store.touch([sessionId("none")], 1, KEEP_MS);
    await store.remove(sessionId("none"));
    assert.equal(await store.get(sessionId("none")), undefined);
    assert.equal(store.failure, undefined);
  });

  on("a record comes back as it was, with everything it may have", async (store) => {
    const full = record("full", {
      toolset: "small",
      client: "inspector 1.0",
      logLevel: "warning",
      subscriptions: [{ backend: "files", uri: "file:///a" }],
      holder: "0123456789ab",
    });
    await store.put(full, KEEP_MS);
    await store.put(record("other"), KEEP_MS);
    assert.deepEqual(await store.get(full.id), full);
    await store.put({ ...full, logLevel: "debug" }, KEEP_MS);
    assert.equal((await store.get(full.id))?.logLevel, "debug");
  });

  on("hostile ids, names and values come back exactly, each its own (T66)", async (store) => {
    for (const text of HOSTILE) {
      const subscriptions = [{ backend: text, uri: text }];
      await store.put(record(text, { client: text, principal: text, subscriptions }), KEEP_MS);
    }
    for (const text of HOSTILE) {
      const found = await store.get(sessionId(text));
      assert.deepEqual([found?.id, found?.client, found?.principal], [text, text, text]);
      assert.deepEqual(found?.subscriptions, [{ backend: text, uri: text }]);
    }
    await store.remove(sessionId(HOSTILE[0] as string));
    assert.equal(await store.get(sessionId(HOSTILE[0] as string)), undefined);
    assert.notEqual(await store.get(sessionId(HOSTILE[1] as string)), undefined);
  });

  on("a touch notes when it was seen, for those that are there", async (store) => {
    await store.put(record("a"), KEEP_MS);
    await store.touch([sessionId("a"), sessionId("gone")], 5000, KEEP_MS);
    assert.equal((await store.get(sessionId("a")))?.seenAt, 5000);
    assert.equal(await store.get(sessionId("gone")), undefined);
    await store.put(record("a", { seenAt: 9000 }), KEEP_MS);
    assert.equal((await store.get(sessionId("a")))?.seenAt, 9000);
  });

  on("many sessions are touched in one go", async (store) => {
    const ids = Array.from({ length: 500 }, (_, number) => sessionId(`many ${number}`));
    for (const id of ids) await store.put(record(id), KEEP_MS);
    await store.touch(ids, 7000, KEEP_MS);
    const seen = await Promise.all(ids.map(async (id) => (await store.get(id))?.seenAt));
    assert.ok(seen.every((at) => at === 7000));
  });

  on("a secret is made once, for each name its own", async (store) => {
    const [one, same] = await Promise.all([store.secret("states"), store.secret("states")]);
    assert.match(one, /^[0-9a-f]{64}$/);
    assert.equal(same, one);
    const names = new Set(await Promise.all(HOSTILE.map((name) => store.secret(name))));
    assert.equal(names.size, HOSTILE.length);
    assert.equal(await store.secret("states"), one);
  });

  on("flushing an idle store ends", async (store) => {
    store.sweep();
    await store.flush();
  });
}

function streams(on: On): void {
  on("events of a stream come back in order, from any number on", async (store) => {
    const own = facts("s", { requests: ["1", '"two"'] });
    for (let sequence = 1; sequence <= 4; sequence++) {
      store.keep("stream", own, { sequence, data: `event ${sequence}` });
    }
    await store.flush();
    const all = await store.kept("stream", 0);
    assert.deepEqual(all, {
      ...own,
      ended: false,
      events: [1, 2, 3, 4].map((sequence) => ({ sequence, data: `event ${sequence}` })),
    });
    assert.deepEqual((await store.kept("stream", 3))?.events, [{ sequence: 4, data: "event 4" }]);
    assert.deepEqual((await store.kept("stream", 4))?.events, []);
    store.keepEnd("stream");
    await store.flush();
    assert.equal((await store.kept("stream", 4))?.ended, true);
  });

  on("events that are gone or were never there are not passed over", async (store) => {
    for (let sequence = 1; sequence <= 8; sequence++) {
      store.keep("long", facts("s"), { sequence, data: String(sequence) });
    }
    for (const sequence of [1, 2, 4]) store.keep("gap", facts("s"), { sequence, data: "x" });
    await store.flush();
    assert.equal((await store.kept("long", 2))?.events, undefined, "five are kept");
    assert.equal((await store.kept("long", 3))?.events?.length, 5);
    assert.equal((await store.kept("long", 8))?.events?.length, 0);
    assert.equal((await store.kept("long", 9))?.events, undefined, "nobody sent it");
    assert.equal((await store.kept("gap", 1))?.events, undefined);
    assert.equal((await store.kept("gap", 3))?.events?.length, 1);
  });

  on("one stream keeps at most 8 MiB; the oldest events make room", async (store) => {
    const data = "x".repeat(3 * 1024 * 1024);
    for (let sequence = 1; sequence <= 3; sequence++) {
      store.keep("large", facts("s"), { sequence, data });
      await store.flush();
    }
    assert.equal((await store.kept("large", 0))?.events, undefined);
    assert.equal((await store.kept("large", 1))?.events?.length, 2);
  });

  on("hostile names and events come back exactly (T66)", async (store) => {
    for (const text of HOSTILE) {
      store.keep(text, facts(text, { requests: HOSTILE, owner: text }), {
        sequence: 1,
        data: text,
      });
    }
    await store.flush();
    for (const text of HOSTILE) {
      assert.deepEqual(await store.kept(text, 0), {
        session: text,
        requests: HOSTILE,
        owner: text,
        ended: false,
        events: [{ sequence: 1, data: text }],
      });
    }
  });

  on("a session that goes takes its streams with it, and no others", async (store) => {
    await store.put(record("goes"), KEEP_MS);
    store.keep("of it", facts("goes"), { sequence: 1, data: "a" });
    store.keep("also", facts("goes"), { sequence: 1, data: "a" });
    store.keep("other", facts("stays"), { sequence: 1, data: "a" });
    await store.flush();
    await store.remove(sessionId("goes"));
    assert.equal(await store.kept("of it", 0), undefined);
    assert.equal(await store.kept("also", 0), undefined);
    assert.equal((await store.kept("other", 0))?.events?.length, 1);
  });
}
