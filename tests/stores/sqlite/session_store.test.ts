import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { after, describe, it } from "node:test";
import { systemRandom } from "../../../src/hosts/random.ts";
import {
  openSqliteSessions,
  type SqliteSessionOptions,
} from "../../../src/stores/sqlite/session_store.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { facts, record, sessionId, sessionStoreSuite } from "../session_store_suite.ts";

describe("sessions on SQLite", () => {
  const folder = mkdtempSync(join(tmpdir(), "sentinel-sessions-"));
  let files = 0;
  const newPath = () => join(folder, `${++files}.sqlite`);
  const open = (path: string, more: Partial<SqliteSessionOptions> = {}) =>
    openSqliteSessions(path, {
      clock: new FakeClock(),
      random: systemRandom,
      events: 5,
      keepMs: 600_000,
      ...more,
    });
  after(() => rmSync(folder, { recursive: true }));

  sessionStoreSuite(() => open(newPath()), { keepsStreams: true });

  it("outlive the process that wrote them, and are read by another at the same time", async () => {
    const path = newPath();
    const first = open(path);
    await first.put(record("a", { logLevel: "error" }), 60_000);
    first.keep("stream", facts("a"), { sequence: 1, data: "x" });
    const secret = await first.secret("states");
    const second = open(path);
    assert.equal((await second.get(sessionId("a")))?.logLevel, "error");
    first.close();
    assert.equal((await second.kept("stream", 0))?.events?.length, 1);
    assert.equal(await second.secret("states"), secret);
    second.close();
    assert.equal(statSync(path).mode & 0o077, 0, "for this user only");
  });

  it("go when nobody has seen them for long, and take streams after their time", async () => {
    const clock = new FakeClock();
    const path = newPath();
    const store = open(path, { clock, keepMs: 1000 });
    await store.put(record("a"), 1000);
    store.keep("stream", facts("a"), { sequence: 1, data: "x" });
    await clock.advance(999);
    assert.notEqual(await store.get(sessionId("a")), undefined);
    assert.notEqual(await store.kept("stream", 0), undefined);
    await clock.advance(1);
    assert.equal(await store.get(sessionId("a")), undefined);
    assert.equal(await store.kept("stream", 0), undefined);
    store.sweep();
    store.close();
    const database = new DatabaseSync(path);
    const count = (table: string) =>
      database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"];
    assert.deepEqual(["session", "stream", "sent"].map(count), [0, 0, 0]);
    database.close();
  });

  it("are bounded: the oldest sessions and streams make room", async () => {
    const clock = new FakeClock();
    const store = open(newPath(), { clock, maxSessions: 3, maxCharacters: 1000 });
    for (const name of ["a", "b", "c", "d"]) {
      await store.put(record(name), 60_000);
      store.keep(name, facts(name), { sequence: 1, data: "x".repeat(300) });
      await clock.advance(10);
    }
    store.sweep();
    assert.equal(await store.get(sessionId("a")), undefined);
    assert.notEqual(await store.get(sessionId("b")), undefined);
    assert.equal(await store.kept("a", 0), undefined);
    assert.equal((await store.kept("d", 0))?.events?.length, 1);
    store.close();
  });

  it("that are no records are not there", async () => {
    const path = newPath();
    const store = open(path);
    await store.put(record("a"), 60_000);
    store.keep("stream", facts("a"), { sequence: 1, data: "x" });
    const database = new DatabaseSync(path);
    for (const text of ["", "null", "[]", "{}", '{"id":"a"}', JSON.stringify(record("b"))]) {
      database.prepare("UPDATE session SET record = ?").run(text);
      assert.equal(await store.get(sessionId("a")), undefined, text);
    }
    database.exec("UPDATE sent SET data = 'no JSON'");
    assert.equal((await store.kept("stream", 0))?.events, undefined);
    database.exec("UPDATE stream SET requests = '{}'");
    assert.equal(await store.kept("stream", 0), undefined);
    database.close();
    store.close();
  });

  it("say why they cannot be kept, and go on when they can again", async () => {
    const path = newPath();
    const store = open(path);
    const other = new DatabaseSync(path);
    other.exec("BEGIN EXCLUSIVE");
    await assert.rejects(store.put(record("a"), 60_000), /locked/);
    assert.match(store.failure ?? "", /locked/);
    store.keep("stream", facts("a"), { sequence: 1, data: "lost" });
    other.exec("ROLLBACK");
    other.close();
    store.sweep();
    assert.equal(store.failure, undefined);
    await store.put(record("a"), 60_000);
    assert.notEqual(await store.get(sessionId("a")), undefined);
    store.close();
    await assert.rejects(store.get(sessionId("a")), /closed/);
  });

  it("are not looked for in a file of another kind", () => {
    const path = newPath();
    writeFileSync(path, "no database at all, but long enough to be read as one");
    if (process.platform !== "win32") chmodSync(path, 0o600);
    assert.throws(() => open(path), /session file .*not a database/);
  });
});
