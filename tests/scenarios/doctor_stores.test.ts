import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openPostgresAudit } from "../../src/stores/postgres/audit.ts";
import { PostgresServer } from "../support/postgres.ts";
import { RedisServer } from "../support/redis.ts";
import { setUp } from "./doctor_setup.ts";

const TIMEOUT = { timeout: 60_000 };

describe("doctor over stores that are servers", () => {
  let postgres: PostgresServer;

  before(async () => {
    postgres = await PostgresServer.start();
  }, TIMEOUT);

  after(() => postgres.stop());

  const look = async (url: string) => {
    await using place = setUp('[audit]\nstore = "postgres"\nurl = "${env:AUDIT_URL}"\n');
    return await place.diagnose([], { env: { AUDIT_URL: url } });
  };

  test("database without tables, nothing is made in it", TIMEOUT, async () => {
    const url = await postgres.database();

    const found = await look(url);

    const [row] = found.of("audit");
    assert.equal(row?.level, "ok");
    assert.match(
      row.text,
      /^postgres \d+\.\d+ at 127\.0\.0\.1:\d+\/test_\d+, schema 0, 1 with the next/,
    );
    const tables = "select relname from pg_class where relname like 'sentinel%'";
    assert.deepEqual(await postgres.run(url, tables), []);
    assert.equal(found.code, 0);
  });

  test("database with tables, a row is written and taken back", TIMEOUT, async () => {
    const url = await postgres.database();
    const sink = openPostgresAudit({ url });
    await sink.open();
    await sink.close();

    const found = await look(url);

    assert.match(
      found.of("audit")[0]?.text ?? "",
      /, schema 1 \(current\), write (under )?\d+ ms$/,
    );
    assert.deepEqual(await postgres.run(url, "select * from sentinel_audit"), []);
  });

  test("user who may not write, the rights it needs are named", TIMEOUT, async () => {
    const url = await postgres.database();
    const sink = openPostgresAudit({ url });
    await sink.open();
    await sink.close();
    await postgres.run(url, "create role reader login password 'reader-4711'");
    await postgres.run(url, "grant select on sentinel_audit_version to reader");

    const found = await look(postgres.urlAs(url, "reader", "reader-4711"));

    const [row] = found.of("audit");
    assert.equal(row?.level, "fail");
    assert.match(row.text, /permission denied for table sentinel_audit$/);
    assert.match(row.cure ?? "", /grant the user what it needs/);
    assert.ok(!found.out.includes("reader-4711"));
    assert.equal(found.code, 6);
  });

  test("Redis, with the setting that may lose what is in it", TIMEOUT, async () => {
    const redis = await RedisServer.start();
    try {
      await using place = setUp('[sessions]\nstore = "redis"\nurl = "${env:REDIS_URL}"\n');

      const found = await place.diagnose([], { env: { REDIS_URL: redis.url } });

      const [row] = found.of("sessions");
      assert.match(row?.text ?? "", /^redis \d+\.\d+\.\d+, shared by replicas .* write /);
      assert.deepEqual(row?.detail, [
        "appendonly is no: a crash of the server loses what is in it",
      ]);
      assert.equal(found.code, 0);
    } finally {
      await redis.stop();
    }
  });
});
