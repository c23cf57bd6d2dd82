/** Sessions on a real Redis, and everything it does to those who rely on it (T63). */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { SystemClock } from "../../../src/hosts/clock.ts";
import { systemRandom } from "../../../src/hosts/random.ts";
import type { SessionStore } from "../../../src/ports/session_store.ts";
import { openRedisSessions } from "../../../src/stores/redis/open_sessions.ts";
import { until } from "../../scenarios/until.ts";
import { RedisServer } from "../../support/redis.ts";
import { facts, HOSTILE, record, sessionId, sessionStoreSuite } from "../session_store_suite.ts";
import { connect } from "./support.ts";

const WAIT_MS = 30_000;
const KEEP_MS = 600_000;

function open(url: string, gateway = "test", keepMs = KEEP_MS): Promise<SessionStore> {
  const clock = new SystemClock();
  return openRedisSessions({ url, gateway, clock, random: systemRandom, events: 5, keepMs });
}

describe("sessions on Redis", { timeout: 180_000 }, () => {
  let server: RedisServer;
  let gateways = 0;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server.stop());

  sessionStoreSuite(() => open(server.url, `gateway ${++gateways}`), { keepsStreams: true });

  it("are those of one gateway, at all its replicas", async () => {
    const [one, same, other] = await Promise.all(
      ["ours", "ours", "theirs"].map((gateway) => open(server.url, gateway)),
    ) as [SessionStore, SessionStore, SessionStore];
    await one.put(record("a", { logLevel: "error" }), KEEP_MS);
    assert.equal((await same.get(sessionId("a")))?.logLevel, "error");
    assert.equal(await other.get(sessionId("a")), undefined);
    assert.equal(await same.secret("states"), await one.secret("states"));
    assert.notEqual(await other.secret("states"), await one.secret("states"));
    for (const store of [one, same, other]) store.close();
  });

  it("stand under the gateway's prefix only, and each key goes by itself (T66)", async () => {
    const admin = await connect(server.url);
    await admin.sendCommand(["FLUSHALL"]);
    const store = await open(server.url, "prefixed");
    for (const text of HOSTILE) {
      await store.put(record(text), KEEP_MS);
      store.keep(text, facts(text), { sequence: 1, data: text });
      await store.secret(text);
    }
    store.keepEnd(HOSTILE[0] as string);
    await store.flush();
    const keys = (await admin.sendCommand(["KEYS", "*"]) as unknown as string[]).map(String);
    // A record, a stream, a set of streams and a secret for each, and the key that tries whether writing works.
    assert.equal(keys.length, 4 * HOSTILE.length + 1);
    for (const key of keys) {
      assert.ok(key.startsWith("mcp-sentinel:v1:prefixed:"), key);
      assert.ok(Number(await admin.sendCommand(["PTTL", key])) > 0, key);
    }
    store.close();
    admin.destroy();
  });

  it("that are no records are not there", async () => {
    const admin = await connect(server.url);
    const store = await open(server.url, "foreign");
    const prefix = "mcp-sentinel:v1:foreign";
    for (const text of ["", "null", "[]", "{}", '{"id":"a"}', JSON.stringify(record("b"))]) {
      await admin.sendCommand(["HSET", `${prefix}:session:a`, "record", text]);
      assert.equal(await store.get(sessionId("a")), undefined, text);
    }
    await admin.sendCommand(["SET", `${prefix}:session:text`, "of another kind"]);
    await admin.sendCommand(["SET", `${prefix}:stream:text`, "of another kind"]);
    await admin.sendCommand(["HSET", `${prefix}:stream:s`, "facts", "no JSON", "1", "x"]);
    assert.equal(await store.get(sessionId("text")), undefined);
    assert.equal(await store.kept("text", 0), undefined);
    assert.equal(await store.kept("s", 0), undefined);
    assert.equal(store.failure, undefined);
    await store.put(record("text"), KEEP_MS);
    assert.notEqual(await store.get(sessionId("text")), undefined);
    store.close();
    admin.destroy();
  });

  it("and streams go when their time is over", async () => {
    const store = await open(server.url, "short", 50);
    await store.put(record("a"), 50);
    store.keep("s", facts("a"), { sequence: 1, data: "x" });
    await store.flush();
    await until(async () => assert.equal(await store.get(sessionId("a")), undefined), WAIT_MS);
    await until(async () => assert.equal(await store.kept("s", 0), undefined), WAIT_MS);
    store.close();
  });
});

describe("sessions on a Redis that fails", { timeout: 180_000 }, () => {
  let server: RedisServer;
  let store: SessionStore;
  beforeEach(async () => {
    const settings = {
      "enable-debug-command": "yes",
      "maxmemory-policy": "noeviction",
      // Otherwise a kill may lose what a busy disk has kept waiting.
      "appendfsync": "always",
    };
    server = await RedisServer.start({ appendonly: true, settings });
    store = await open(server.url);
    await store.put(record("a"), KEEP_MS);
    store.keep("s", facts("a"), { sequence: 1, data: "x" });
    await store.flush();
  });
  afterEach(async () => {
    store.close();
    await server.stop();
  });

  const isUp = () => until(() => assert.equal(store.failure, undefined), WAIT_MS);
  const isDown = () => until(() => assert.notEqual(store.failure, undefined), WAIT_MS);
  const known = () => until(() => store.get(sessionId("a")), WAIT_MS);

  async function setting(...args: readonly string[]): Promise<void> {
    const admin = await connect(server.url);
    await admin.sendCommand(args);
    admin.destroy();
  }

  it("restarted with its append-only file: they are there", async () => {
    await server.kill();
    await isDown();
    await assert.rejects(store.get(sessionId("a")));
    store.keep("s", facts("a"), { sequence: 2, data: "lost" });
    await server.restart();
    await isUp();
    assert.notEqual(await known(), undefined);
    store.keep("s", facts("a"), { sequence: 3, data: "y" });
    await store.flush();
    assert.equal((await store.kept("s", 0))?.events, undefined, "the gap is known");
    assert.equal((await store.kept("s", 2))?.events?.length, 1);
  });

  it("restarted empty: they are unknown, and new ones can be put", async () => {
    await server.restart({ empty: true });
    await isUp();
    assert.equal(await known(), undefined);
    await store.put(record("b"), KEEP_MS);
    assert.notEqual(await store.get(sessionId("b")), undefined);
  });

  it("asleep: whoever waits is let go long before it wakes", async () => {
    const admin = await connect(server.url);
    void admin.sendCommand(["DEBUG", "SLEEP", "8"]).catch(() => {});
    await until(async () => {
      const begun = performance.now();
      await assert.rejects(store.get(sessionId("a")), /answer|closed/);
      // A bound of 250 ms on a machine that does other things as well.
      assert.ok(performance.now() - begun < 5000);
    }, WAIT_MS);
    store.keep("s", facts("a"), { sequence: 2, data: "lost" });
    await store.flush();
    assert.notEqual(store.failure, undefined);
    await isUp();
    assert.notEqual(await known(), undefined);
    admin.destroy();
  });

  it("a read-only replica: putting fails, and is said", async () => {
    await setting("REPLICAOF", "127.0.0.1", "1");
    await assert.rejects(until(() => store.put(record("b"), KEEP_MS), 500), /READONLY|closed|not/i);
    await isDown();
    await setting("REPLICAOF", "NO", "ONE");
    await isUp();
    await store.put(record("b"), KEEP_MS);
  });

  it("full: putting fails and is said; it goes on when there is room", async () => {
    await setting("CONFIG", "SET", "maxmemory", "1");
    await assert.rejects(store.put(record("b"), KEEP_MS), /OOM/);
    assert.match(store.failure ?? "", /OOM/);
    await setting("CONFIG", "SET", "maxmemory", "0");
    await isUp();
    await store.put(record("b"), KEEP_MS);
    assert.notEqual(await known(), undefined);
  });
});
