import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Replicas } from "../../../src/ports/replicas.ts";
import type { Client } from "../../../src/stores/redis/client.ts";
import { RedisServer } from "../../support/redis.ts";
import { allowed, limit, rateStoreSuite } from "../rate_store_suite.ts";
import { connect, open, PREFIX } from "./support.ts";

const HOUR = 3_600_000;

describe("buckets in Redis", { timeout: 120_000 }, () => {
  let server: RedisServer;
  let admin: Client;
  let replicas: Replicas;

  before(async () => {
    server = await RedisServer.start();
    admin = await connect(server.url);
    replicas = await open(server.url);
  });
  after(async () => {
    replicas.close();
    admin.destroy();
    await server.stop();
  });

  /** Moves what is stored into the past: the server's own time cannot be moved. */
  async function pass(ms: number): Promise<void> {
    for (const key of await admin.keys(`${PREFIX}:rate:*`)) {
      const [used, at, ...limit] = (await admin.get(key) ?? "").split(" ");
      await admin.set(key, [used, Number(at) - ms, ...limit].join(" "), { KEEPTTL: true });
    }
  }

  rateStoreSuite(async (test) => {
    await admin.flushAll();
    // No test takes a minute.
    await test({ take: (key, limit) => replicas.take(key, limit), pass, slackMs: 60_000 });
  });

  it("two replicas share a bucket", async (t) => {
    await admin.flushAll();
    const other = await open(server.url);
    t.after(() => other.close());
    const few = limit(1, HOUR, 10);
    const both = await Promise.all(
      [replicas, other].map((one) => allowed(one, { limit: few, calls: 20 })),
    );
    assert.equal(both.reduce((sum, one) => sum + one), 10);
  });

  it("gateways of another name, or of another database, have their own", async (t) => {
    await admin.flushAll();
    const others = await Promise.all([open(server.url, "other"), open(`${server.url}/1`)]);
    t.after(() => others.forEach((one) => one.close()));
    for (const one of [replicas, ...others]) {
      assert.equal(await allowed(one, { limit: limit(1, HOUR, 2), calls: 3 }), 2);
    }
  });

  it("a bucket goes when it is full again", async () => {
    await admin.flushAll();
    const taken = () => replicas.take("k", limit(60, 60_000, 100));
    for (let call = 0; call < 3; call++) await taken();
    const [key = ""] = await admin.keys(`${PREFIX}:rate:*`);
    const left = await admin.pTTL(key);
    assert.ok(left > 2000 && left <= 4000, `${left} ms`);
  });

  it("a refusal writes nothing", async () => {
    await admin.flushAll();
    await allowed(replicas, { limit: limit(1, HOUR, 1), calls: 1 });
    const [key = ""] = await admin.keys(`${PREFIX}:rate:*`);
    const before = await admin.get(key);
    assert.equal(await allowed(replicas, { limit: limit(1, HOUR, 1), calls: 5 }), 0);
    assert.equal(await admin.get(key), before);
  });

  it("says what all replicas have used", async () => {
    await admin.flushAll();
    const few = limit(1, HOUR, 2);
    const used = [];
    for (let call = 0; call < 3; call++) {
      used.push(Math.round((await replicas.take("k", few)).used));
    }
    assert.deepEqual(used, [1, 2, 2]);
  });

  it("keys are bounded", async () => {
    await admin.flushAll();
    await allowed(replicas, { key: "x".repeat(10_000), limit: limit(1, HOUR, 1), calls: 1 });
    const [key = ""] = await admin.keys(`${PREFIX}:rate:*`);
    assert.match(key.slice(PREFIX.length), /^:rate:#[0-9a-f]{64}$/);
  });

  it("a server that has forgotten the script is told it again", async () => {
    await admin.flushAll();
    await replicas.take("k", limit(1, HOUR, 5));
    await admin.scriptFlush();
    assert.equal((await replicas.take("k", limit(1, HOUR, 5))).remaining, 3);
    assert.equal(replicas.failure, undefined);
  });

  it("a bucket that somebody else wrote counts as full", async () => {
    await admin.flushAll();
    for (
      const text of ["", "x y z w", "nan nan 0 0", "1 2", "-5 0 1 1", "1 1 inf nan", "0x1p9 1 1 0"]
    ) {
      await admin.set(`${PREFIX}:rate:k`, text);
      assert.deepEqual(await replicas.take("k", limit(1, HOUR, 5)), {
        allowed: true,
        retryAfterMs: 0,
        remaining: 4,
        used: 1,
      }, JSON.stringify(text));
    }
  });

  it("a server whose clock is set back does not lock anybody out", async () => {
    await admin.flushAll();
    const one = limit(1, 60_000, 1);
    assert.equal(await allowed(replicas, { limit: one, calls: 1 }), 1);
    await pass(-24 * HOUR);
    const { retryAfterMs } = await replicas.take("k", one);
    assert.ok(retryAfterMs <= 60_000, `${retryAfterMs} ms`);
    await pass(60_000);
    assert.equal((await replicas.take("k", one)).allowed, true);
  });
});
