import { after, before, describe } from "node:test";
import { PostgresServer } from "../../support/postgres.ts";
import { faultSuite } from "./fault_suite.ts";

describe("the audit in PostgreSQL, when the server fails", () => {
  let server: PostgresServer;
  before(async () => {
    server = await PostgresServer.start();
  }, { timeout: 60_000 });
  after(() => server.stop());

  faultSuite(() => server, (url) => url);
});
