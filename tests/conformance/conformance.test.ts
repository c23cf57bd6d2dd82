import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { stringify } from "smol-toml";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { proves } from "../support/proves.ts";
import { type FixtureServer, startFixtureServer } from "./fixture_server.ts";
import { type Check, runSuite, type SuiteRun } from "./run_suite.ts";

const SCENARIOS = 32;
const CHECKS = 44;
/** The gateway answers a list with one JSON body: there is no stream to judge, which is allowed. */
const NOT_JUDGED = ["server-sse-multiple-streams server-sse-streams-functional"];
const TIMEOUT = { timeout: 180_000 };

describe("official conformance suite 0.1.16", () => {
  let fixture: FixtureServer;
  let gateway: Gateway;
  let direct: SuiteRun;

  before(async () => {
    fixture = await startFixtureServer();
    gateway = await startGateway(stringify({
      catalog: { prefix: "never", sanitize: false },
      backends: { fixture: { url: fixture.url } },
    }));
    direct = await runSuite(fixture.url);
  }, TIMEOUT);

  after(async () => {
    await gateway?.stop();
    await fixture?.close();
  });

  test("fixture server, by itself, passes every check", () => {
    assert.deepEqual(failed(direct), []);
    assert.equal(passed(direct).length, CHECKS);
  });

  proves(["G2.1", "G3.2"], "gateway without prefix, passes what the server passes", async () => {
    const through = await runSuite(gateway.url);

    assert.deepEqual(failed(through), []);
    assert.equal(through.scenarios, SCENARIOS);
    const missing = passed(direct).filter((check) => !passed(through).includes(check));
    assert.deepEqual(missing, NOT_JUDGED);
    assert.equal(through.code, 0);
  }, TIMEOUT);
});

function failed({ checks }: SuiteRun): readonly Check[] {
  return checks.filter(({ status }) => status === "FAILURE");
}

function passed({ checks }: SuiteRun): readonly string[] {
  return checks
    .filter(({ status }) => status === "SUCCESS")
    .map(({ scenario, id }) => `${scenario} ${id}`);
}
