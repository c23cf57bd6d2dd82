import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { systemDigest } from "../../src/hosts/digest.ts";
import { HttpAudit } from "../../src/stores/postgres/http_audit.ts";
import { HttpSql } from "../../src/stores/postgres/http_sql.ts";
import type { HttpFixture } from "../support/http_fixture.ts";
import { PostgresServer } from "../support/postgres.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { rowOf } from "../stores/audit_rows.ts";
import { startSqlBridge } from "./sql_bridge.ts";

describe("calls of isolates that have ended", { timeout: 60_000 }, () => {
  let postgres: PostgresServer;
  let bridge: HttpFixture;

  before(async () => {
    [postgres, bridge] = await Promise.all([PostgresServer.start(), startSqlBridge()]);
  });
  after(async () => {
    await bridge.close();
    await postgres.stop();
  });

  const isolate = (url: string, instance: string, migrate = true) => {
    const clock = new FakeClock();
    const sql = new HttpSql({ url, endpoint: bridge.url.href, migrate });
    const { sha256 } = systemDigest;
    const monotonic = () => clock.monotonic();
    return new HttpAudit({ sql, instance, chain: true, sha256, monotonic });
  };
  const rowsIn = (url: string) =>
    postgres.run(url, "select instance, sequence, request, outcome from sentinel_audit");

  it("are closed as unknown by another one, once, when no row can come any more", async () => {
    const url = await postgres.database();
    const dead = isolate(url, "one");
    for (const request of ["old", "young"]) {
      dead.intent(request, JSON.stringify(rowOf(0, { request })));
    }
    await dead.synced();
    const hour =
      "update sentinel_audit_intents set at = at - interval '2 hours' where request = 'old'";
    await postgres.run(url, hour);
    const [living, third] = [isolate(url, "two"), isolate(url, "three")];
    assert.equal(
      (await Promise.all([living.closeLost(), third.closeLost()])).toSorted().join(),
      "0,1",
    );
    assert.equal(await living.closeLost(), 0);
    const [row, ...more] = await rowsIn(url);
    assert.deepEqual(more, []);
    assert.equal(row?.["request"], "old");
    assert.equal(row?.["outcome"], "unknown");
    assert.notEqual(row?.["instance"], "one");
    const left = await postgres.run(url, "select request from sentinel_audit_intents");
    assert.deepEqual(left, [{ request: "young" }]);
  });

  it("what could not be written goes with the next that can", async () => {
    const url = await postgres.database();
    const journal = isolate(url, "one");
    const row = rowOf(1, { instance: "one", request: "first" });
    journal.append({ row, text: JSON.stringify(row) });
    await postgres.run(url, "create table sentinel_audit_version (wrong text)");
    await assert.rejects(journal.synced(), /Cannot write the audit database/);
    assert.ok(journal.bytes > 0);
    await postgres.run(url, "drop table sentinel_audit_version");
    await journal.synced();
    assert.equal(journal.bytes, 0);
    assert.equal((await rowsIn(url)).length, 1);
  });

  it("tables that are missing are not made against the configuration", async () => {
    const url = await postgres.database();
    const journal = isolate(url, "one", false);
    journal.intent("r", "{}");
    await assert.rejects(journal.synced(), /audit\.migrate is false/);
  });

  it("tables of a gateway that lasts serve both", async () => {
    const url = await postgres.database();
    const { openPostgresAudit } = await import("../../src/stores/postgres/audit.ts");
    const lasting = openPostgresAudit({ url });
    await lasting.open();
    const journal = isolate(url, "one");
    const row = rowOf(1, { instance: "one", request: "first" });
    journal.append({ row, text: JSON.stringify(row) });
    await journal.synced();
    const [run] = await lasting.reader?.runs() ?? [];
    assert.equal(run?.rows, 1);
    await lasting.close();
  });
});
