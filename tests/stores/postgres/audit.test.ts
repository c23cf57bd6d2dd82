import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { openPostgresAudit } from "../../../src/stores/postgres/audit.ts";
import { PostgresServer } from "../../support/postgres.ts";
import { auditSinkSuite } from "../audit_sink_suite.ts";
import { databasePlace } from "./places.ts";

describe("the audit in PostgreSQL", () => {
  let server: PostgresServer;
  before(async () => {
    server = await PostgresServer.start();
  }, { timeout: 60_000 });
  after(() => server.stop());

  auditSinkSuite(databasePlace(() => server, (url) => {
    const sink = openPostgresAudit({ url });
    assert.equal(sink.kind, "postgres");
    return sink;
  }));
});
