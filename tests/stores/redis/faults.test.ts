/** Everything a Redis server does to those who rely on it (T63). */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Replicas } from "../../../src/ports/replicas.ts";
import { until } from "../../scenarios/until.ts";
import { freePort } from "../../support/server_process.ts";
import { RedisServer } from "../../support/redis.ts";
import { connect, Notes, open, stamp } from "./support.ts";

const WAIT_MS = 30_000;
const LIMIT = { count: 1, perMs: 3_600_000, burst: 5 };

describe("a Redis server that fails", { timeout: 180_000 }, () => {
  let server: RedisServer;
  let replicas: Replicas;
  let notes: Notes;

  beforeEach(async () => {
    const settings = { "enable-debug-command": "yes" };
    server = await RedisServer.start({ appendonly: true, settings });
    replicas = await open(server.url);
    notes = new Notes();
    replicas.follow(notes);
  });
  afterEach(async () => {
    replicas.close();
    await server.stop();
  });

  const isUp = () => until(() => assert.equal(replicas.failure, undefined), WAIT_MS);
  const isDown = (why: RegExp) => until(() => assert.match(replicas.failure ?? "up", why), WAIT_MS);
  const used = async () => Math.round((await replicas.take("k", LIMIT)).used);

  async function settings(...given: readonly (readonly string[])[]): Promise<void> {
    const admin = await connect(server.url);
    for (const args of given) await admin.sendCommand(args);
    admin.destroy();
  }

  it("killed: what is under way ends, nothing waits, and a restart is found", async () => {
    assert.equal(await used(), 1);
    await server.kill();
    await isDown(/closed|ECONN/);
    await assert.rejects(replicas.take("k", LIMIT));
    await assert.rejects(replicas.write([{ key: "a", stamp: stamp(1), value: "" }]));
    await server.restart();
    await isUp();
    assert.equal(await used(), 2, "the append-only file has kept it");
    assert.deepEqual(notes.healths.map((why) => why === undefined), [
      true,
      ...notes.healths.slice(1, -1).map(() => false),
      true,
    ]);
  });

  it("restarted empty: buckets are full again", async () => {
    await used();
    await server.restart({ empty: true });
    await until(() => assert.ok(notes.healths.length >= 3), WAIT_MS);
    await isUp();
    assert.equal(await until(used, WAIT_MS), 1);
    assert.deepEqual(notes.tables.at(-1), []);
  });

  it("frozen: whoever waits is let go long before it moves again", async () => {
    server.freeze();
    const begun = performance.now();
    const waiting = await Promise.allSettled(
      Array.from({ length: 50 }, () => replicas.take("k", LIMIT)),
    );
    const waited = performance.now() - begun;
    assert.ok(waiting.every(({ status }) => status === "rejected"));
    // A bound of 250 ms on a machine that does other things as well.
    assert.ok(waited < 5000, `${waited} ms`);
    const again = performance.now();
    await assert.rejects(replicas.take("k", LIMIT), /answer/);
    assert.ok(performance.now() - again < waited, "known to be down: nobody waits");
    server.thaw();
    await isUp();
    assert.equal(await used() >= 1, true);
  });

  it("asleep (DEBUG SLEEP): the same", async () => {
    const admin = await connect(server.url);
    void admin.sendCommand(["DEBUG", "SLEEP", "2"]).catch(() => {});
    await isDownWhileUsed(/answer|closed/);
    await isUp();
    admin.destroy();
  });

  it("read-only: it counts as away until it takes writes", async () => {
    await settings(["REPLICAOF", "127.0.0.1", String(await freePort())]);
    await isDownWhileUsed(/READONLY/);
    await settings(["REPLICAOF", "NO", "ONE"]);
    await isUp();
    assert.equal(await used() >= 1, true);
  });

  it("out of memory: it counts as away until there is room", async () => {
    await settings(["CONFIG", "SET", "maxmemory", "1"]);
    await isDownWhileUsed(/OOM/);
    await settings(["CONFIG", "SET", "maxmemory", "0"]);
    await isUp();
  });

  it("connections that are cut one after the other: it comes back each time", async () => {
    for (let cut = 0; cut < 3; cut++) {
      await settings(["CLIENT", "KILL", "TYPE", "normal"]);
      await until(used, WAIT_MS);
    }
    await isUp();
  });

  it("a wrong password: says so, never the password", async () => {
    await settings(["CONFIG", "SET", "requirepass", "correct-horse"]);
    const wrong = await open(server.url.replace("//", "//:secret-battery@"));
    assert.match(wrong.failure ?? "", /WRONGPASS/);
    assert.doesNotMatch(wrong.failure ?? "", /secret-battery/);
    wrong.close();
    const right = await open(server.url.replace("//", "//:correct-horse@"));
    assert.equal(right.failure, undefined);
    right.close();
  });

  it("nobody there at the start: found when somebody is", async (t) => {
    await server.kill();
    const early = await open(server.url);
    t.after(() => early.close());
    assert.match(early.failure ?? "", /ECONNREFUSED|refused/i);
    await server.restart();
    await until(() => assert.equal(early.failure, undefined), WAIT_MS);
  });

  it("warns of what may lose data, and of nothing else", async (t) => {
    assert.deepEqual(notes.risks, []);
    await settings(["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"], [
      "CONFIG",
      "SET",
      "appendonly",
      "no",
    ]);
    const risky = await open(server.url);
    t.after(() => risky.close());
    const told = new Notes();
    risky.follow(told);
    assert.equal(told.risks.length, 2);
    assert.match(told.risks.join("\n"), /appendonly is no[^]*allkeys-lru.*kill switches/);
  });

  it("a user with the rights of the manual is enough", async (t) => {
    const rights = "+@connection +@scripting +@read +@write +@pubsub +time";
    const names = "~mcp-sentinel:* &mcp-sentinel:*";
    await settings([
      "ACL",
      "SETUSER",
      "gateway",
      "on",
      ">pass-word",
      ...`${rights} ${names}`.split(" "),
    ]);
    const limited = await open(server.url.replace("//", "//gateway:pass-word@"));
    t.after(() => limited.close());
    const told = new Notes();
    limited.follow(told);
    await limited.write([{ key: "a", stamp: stamp(1), value: "" }]);
    assert.equal((await limited.take("k", LIMIT)).allowed, true);
    await until(() => assert.equal(told.entries.length, 1), WAIT_MS);
    assert.deepEqual([limited.failure, told.risks], [undefined, []]);
  });

  async function isDownWhileUsed(why: RegExp): Promise<void> {
    await until(async () => {
      await replicas.take("k", { ...LIMIT, burst: 1000 }).catch(() => {});
      assert.match(replicas.failure ?? "up", why);
    }, WAIT_MS);
  }
});
