import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import type { Session } from "../../../src/core/session/session.ts";
import { systemRandom } from "../../../src/hosts/random.ts";
import type { SessionRecord } from "../../../src/ports/session_store.ts";
import { MemorySessionStore } from "../../../src/stores/memory/session_store.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { type KitOptions, sessionKit, signedIn } from "./session_kit.ts";

const ANA = signedIn("ana");
const KEY = { front: "streamable_http", toolset: undefined, principal: ANA } as const;

/** Fails when it is told to, and counts what it is asked. */
class TestStore extends MemorySessionStore {
  reads = 0;
  touched: string[] = [];
  outages = 0;
  isAway = false;
  override get failure(): string | undefined {
    return this.isAway ? "it is away" : undefined;
  }
  override async get(id: SessionRecord["id"]): Promise<SessionRecord | undefined> {
    this.reads++;
    this.#check();
    return await super.get(id);
  }
  override async put(record: SessionRecord, keepMs: number): Promise<void> {
    this.#check();
    await super.put(record, keepMs);
  }
  override async touch(ids: readonly SessionRecord["id"][], seenAt: number, keepMs: number) {
    this.touched.push(...ids);
    await super.touch(ids, seenAt, keepMs);
  }
  #check(): void {
    if (this.isAway) throw new Error("it is away");
  }
}

/** Two gateways, or two runs of one, that share a store. */
function twoRuns(bounds: KitOptions["bounds"] = {}) {
  const clock = new FakeClock();
  const store = new TestStore({ clock, random: systemRandom });
  const first = sessionKit({ clock, store, bounds, instance: "aaaaaaaaaaaa" });
  const second = sessionKit({ clock, store, bounds, instance: "bbbbbbbbbbbb" });
  return { clock, store, first, second };
}

async function opened({ sessions }: ReturnType<typeof sessionKit>): Promise<Session> {
  const session = sessions.open("streamable_http", undefined, ANA);
  session.negotiated = true;
  session.revision = "2025-06-18";
  session.capabilities = { elicitation: {} };
  session.client = "inspector 1";
  await sessions.keep(session);
  return session;
}

describe("sessions of another run", () => {
  it("go on with everything that was negotiated and wanted", async () => {
    const { first, second, clock } = twoRuns();
    const before = await opened(first);
    before.initialized = true;
    before.setLogLevel("error");
    before.noteSubscription({ backend: "files", uri: "file:///a" }, true);
    before.noteSubscription({ backend: "files", uri: "file:///b" }, true);
    before.noteSubscription({ backend: "files", uri: "file:///a" }, false);
    await clock.advance(1000);
    first.sessions.close("the gateway is stopping");
    await first.sessions.flush();
    await clock.advance(1000);
    const after = await second.sessions.find(before.id, KEY);
    assert.ok(after !== undefined && after !== before);
    assert.deepEqual(
      [after.id, after.ref, after.openedAt, after.revision, after.client, after.logLevel],
      [before.id, before.ref, before.openedAt, "2025-06-18", "inspector 1", "error"],
    );
    assert.deepEqual(after.capabilities, { elicitation: {} });
    assert.deepEqual(after.subscriptions, [{ backend: "files", uri: "file:///b" }]);
    assert.deepEqual([after.negotiated, after.initialized, after.isHolder], [true, true, true]);
    assert.deepEqual(second.restored, [after]);
    assert.equal(second.sessions.find(before.id, KEY), after, "in memory now");
  });

  it("are only for their own principal, front and toolset, and one read serves all who wait", async () => {
    const { first, second, store } = twoRuns();
    const { id } = await opened(first);
    const keys = [
      { ...KEY, principal: signedIn("bob") },
      { ...KEY, principal: ANONYMOUS },
      { ...KEY, toolset: "small" },
    ];
    const found = await Promise.all(
      [...keys, KEY, KEY].map((key) => Promise.resolve(second.sessions.find(id, key))),
    );
    assert.deepEqual(found.slice(0, 3), [undefined, undefined, undefined]);
    assert.ok(found[3] !== undefined && found[3] === found[4]);
    assert.equal(store.reads, 1);
    assert.equal(second.sessions.size, 1);
    assert.equal(second.sessions.find(id, { ...KEY, front: "http_sse" }), undefined);
    assert.deepEqual(counts(second), { restored: 1, unknown: 3, failed: 0 });
  });

  it("what can be no id is not looked for, and no more than 256 are at a time", async () => {
    const { second, store } = twoRuns();
    for (const id of ["", "x", "../../etc", "A".repeat(32), "a".repeat(33), "a\r\nb"]) {
      assert.equal(second.sessions.find(id, KEY), undefined);
    }
    assert.equal(store.reads, 0);
    const ids = Array.from({ length: 257 }, (_, number) => String(number).padStart(32, "0"));
    const reads = ids.slice(0, 256).map((id) => second.sessions.find(id, KEY));
    assert.throws(() => second.sessions.find(ids[256] as string, KEY), { code: "OVERLOADED" });
    assert.ok(
      (await Promise.all(reads.map((read) => Promise.resolve(read)))).every((session) =>
        session === undefined
      ),
    );
    assert.equal(await second.sessions.find(ids[256] as string, KEY), undefined);
  });

  it("that are too old, quiet for too long or ended do not go on", async () => {
    const { first, second, clock } = twoRuns({ idleMs: 30_000, lifetimeMs: 100_000 });
    const quiet = await opened(first);
    const ended = await opened(first);
    first.sessions.close("the gateway is stopping");
    await first.sessions.flush();
    await clock.advance(29_000);
    assert.ok(await second.sessions.find(ended.id, KEY) !== undefined);
    await second.sessions.end(await second.sessions.find(ended.id, KEY) as Session, "deleted");
    assert.equal(await second.sessions.find(ended.id, KEY), undefined);
    await clock.advance(2000);
    assert.equal(await second.sessions.find(quiet.id, KEY), undefined);
  });

  it("take room like new ones", async () => {
    const { first, second } = twoRuns({ max: 1 });
    const { id } = await opened(first);
    second.sessions.open("streamable_http", undefined, ANA);
    await assert.rejects(Promise.resolve(second.sessions.find(id, KEY)), {
      code: "OVERLOADED",
      details: { reason: "sessions.max = 1", retryAfterMs: 1000 },
    });
  });

  it("change here when they were changed elsewhere", async () => {
    const { first, second, clock } = twoRuns();
    const one = await opened(first);
    const other = await second.sessions.find(one.id, KEY) as Session;
    const told: string[] = [];
    first.sessions.follow({
      changed: ({ ref }) => void told.push(ref),
      removed: ({ ref }) => void told.push(`removed ${ref}`),
    });
    one.setLogLevel("alert");
    one.noteSubscription({ backend: "files", uri: "file:///a" }, true);
    await clock.advance(1);
    assert.deepEqual(told, [one.ref], "two changes, told once");
    await second.sessions.refresh(one.id);
    assert.equal(other.logLevel, "alert");
    assert.deepEqual(second.changed, [other]);
    await first.sessions.end(one, "deleted");
    assert.deepEqual(told, [one.ref, `removed ${one.ref}`]);
  });

  it("that are quiet here but seen elsewhere stay in the store", async () => {
    const { first, second, clock } = twoRuns({ idleMs: 30_000 });
    const { id } = await opened(first);
    for (let look = 0; look < 4; look++) {
      await clock.advance(20_000);
      assert.ok(await second.sessions.find(id, KEY) !== undefined);
    }
    assert.equal(first.sessions.size, 0, "idle at the first");
    await clock.advance(5000);
    assert.ok(second.sessions.here(id, KEY) !== undefined);
    assert.ok(await second.store.get(id) !== undefined);
  });
});

describe("a store of sessions that is away", () => {
  it("is written to when it is back, and both are told", async () => {
    const { first, second, store, clock } = twoRuns();
    store.isAway = true;
    const session = await opened(first);
    assert.equal(session.storedAt, undefined);
    session.setLogLevel("error");
    await clock.advance(2000);
    assert.deepEqual(first.log.map(({ event }) => event), ["store.failed"]);
    assert.equal(await second.sessions.find(session.id, KEY), undefined);
    assert.deepEqual(counts(second), { restored: 0, unknown: 0, failed: 1 });
    store.isAway = false;
    await clock.advance(2000);
    assert.deepEqual(first.log.map(({ event }) => event), ["store.failed", "store.recovered"]);
    assert.equal((await second.sessions.find(session.id, KEY))?.logLevel, "error");
  });

  it("refuses new sessions and those of others where the configuration requires it", async () => {
    const { first, second, store } = twoRuns({ required: true });
    const { id } = await opened(first);
    store.isAway = true;
    await assert.rejects(opened(first), { code: "OVERLOADED" });
    await assert.rejects(Promise.resolve(second.sessions.find(id, KEY)), { code: "OVERLOADED" });
    assert.ok(first.sessions.here(id, KEY) !== undefined, "one in memory goes on");
  });

  it("is told everything again when it may have lost it", async () => {
    const { first, store, clock } = twoRuns();
    const { id } = await opened(first);
    await store.remove(id);
    store.outages++;
    await clock.advance(2000);
    assert.ok(await store.get(id) !== undefined);
  });

  it("is told once a minute who was seen", async () => {
    const { first, store, clock } = twoRuns({ idleMs: 1_800_000 });
    const seen = await opened(first);
    await opened(first);
    for (let second = 0; second < 150; second++) {
      first.sessions.here(seen.id, KEY);
      await clock.advance(1000);
    }
    assert.deepEqual(store.touched, [seen.id, seen.id]);
  });
});

describe("bounds of sessions", () => {
  it("hold for each principal who has signed in", () => {
    const { sessions } = sessionKit({ bounds: { max: 100, maxPerPrincipal: 2 } });
    const open = (principal = ANA) => sessions.open("streamable_http", undefined, principal);
    const [one] = [open(), open()];
    assert.throws(() => open(), {
      code: "OVERLOADED",
      details: { reason: "sessions.max_per_principal = 2", retryAfterMs: 1000 },
    });
    open(signedIn("bob"));
    for (let count = 0; count < 5; count++) open(ANONYMOUS);
    one.close("gone");
    open();
    assert.throws(() => open(), { code: "OVERLOADED" });
  });

  it("end a session at its age, and let calls under way end first", async () => {
    const { sessions, clock, telemetry } = sessionKit({
      bounds: { idleMs: 1_000_000, lifetimeMs: 10_000 },
    });
    const busy = sessions.open("streamable_http", undefined, ANA);
    busy.load.inFlight = 1;
    const free = sessions.open("streamable_http", undefined, ANA);
    const pipe = sessions.open("stdio", undefined, ANONYMOUS);
    await clock.advance(9000);
    assert.equal(sessions.size, 3);
    await clock.advance(1000);
    assert.deepEqual([busy.closed, free.closed, pipe.closed], [false, true, false]);
    await clock.advance(60_000);
    assert.deepEqual([busy.closed, pipe.closed], [true, false]);
    const evicted = telemetry.read("sentinel_session_evictions_total")
      .find(({ labels }) => Object.values(labels).includes("lifetime"));
    assert.equal(evicted?.value, 2);
  });
});

function counts({ telemetry }: ReturnType<typeof sessionKit>): Record<string, number> {
  return Object.fromEntries(
    telemetry.read("sentinel_session_restores_total")
      .map(({ labels, value }) => [Object.values(labels).join(" "), value]),
  );
}
