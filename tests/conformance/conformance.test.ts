import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { proves } from "../support/proves.ts";
import { type Front, startFront } from "./front.ts";
import { failed, missing, passed } from "./run_suite.ts";
import { LAST_RELEASE, REVISION_2025_11 } from "./suites.ts";

const TIMEOUT = { timeout: 180_000 };

for (const suite of [LAST_RELEASE, REVISION_2025_11]) {
  describe(`official conformance suite, ${suite.name}, sessions in front and behind`, () => {
    let front: Front;

    before(async () => {
      front = await startFront("legacy");
    }, TIMEOUT);

    after(() => front?.stop());

    test("fixture server, by itself, passes every check", TIMEOUT, async () => {
      const direct = await front.direct(suite);

      assert.deepEqual(failed(direct), []);
      assert.equal(passed(direct).length, suite.checks);
    });

    proves(["G2.1", "G3.2"], "gateway without prefix, passes what the server passes", async () => {
      const through = await front.through(suite);

      assert.deepEqual(failed(through), []);
      assert.equal(through.scenarios, suite.scenarios);
      assert.deepEqual(missing(await front.direct(suite), through), suite.notJudged);
      assert.equal(through.code, 0);
    }, TIMEOUT);
  });
}
