import { after, before, describe } from "node:test";
import { PostgresServer } from "../../support/postgres.ts";
import { faultSuite } from "./fault_suite.ts";
import { asNeonUrl, sendNeonTo } from "./tcp_as_web_socket.ts";

describe("the audit in Neon, when the server fails", () => {
  let server: PostgresServer;
  before(async () => {
    server = await PostgresServer.start();
    sendNeonTo(server.port);
  }, { timeout: 60_000 });
  after(() => server.stop());

  faultSuite(() => server, asNeonUrl);
});
