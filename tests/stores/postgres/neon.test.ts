import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { openPostgresAudit } from "../../../src/stores/postgres/audit.ts";
import { PostgresServer } from "../../support/postgres.ts";
import { auditSinkSuite } from "../audit_sink_suite.ts";
import { databasePlace } from "./places.ts";
import { asNeonUrl, sendNeonTo } from "./tcp_as_web_socket.ts";

describe("the audit in Neon", () => {
  let server: PostgresServer;
  before(async () => {
    server = await PostgresServer.start();
    sendNeonTo(server.port);
  }, { timeout: 60_000 });
  after(() => server.stop());

  auditSinkSuite(databasePlace(() => server, (url) => {
    const sink = openPostgresAudit({ url: asNeonUrl(url) });
    assert.equal(sink.kind, "neon");
    return sink;
  }));
});
