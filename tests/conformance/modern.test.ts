import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { proves } from "../support/proves.ts";
import { type Front, startFront } from "./front.ts";
import { failed, missing, passed } from "./run_suite.ts";
import { LAST_RELEASE, REVISION_2025_11, REVISION_2026_07 } from "./suites.ts";

const TIMEOUT = { timeout: 180_000 };

describe("official conformance suite, a backend without sessions", () => {
  let front: Front;

  before(async () => {
    front = await startFront("both");
  }, TIMEOUT);

  after(() => front?.stop());

  test("fixture server, by itself, passes every check of 2026-07-28", TIMEOUT, async () => {
    const direct = await front.direct(REVISION_2026_07);

    assert.deepEqual(failed(direct), []);
    assert.equal(passed(direct).length, REVISION_2026_07.checks);
  });

  proves(["G2.1"], "gateway, 2026-07-28, passes what the server passes", async () => {
    const through = await front.through(REVISION_2026_07);

    assert.deepEqual(failed(through), []);
    assert.deepEqual(missing(await front.direct(REVISION_2026_07), through), []);
    assert.equal(through.scenarios, REVISION_2026_07.scenarios);
    assert.equal(through.code, 0);
  }, TIMEOUT);

  for (const suite of [LAST_RELEASE, REVISION_2025_11]) {
    proves(["G2.1", "G3.2"], `gateway, ${suite.name}, passes with sessions in front`, async () => {
      const through = await front.through(suite);

      assert.deepEqual(failed(through), []);
      assert.equal(passed(through).length, suite.checks - suite.notJudged.length);
      assert.equal(through.scenarios, suite.scenarios);
      assert.equal(through.code, 0);
    }, TIMEOUT);
  }
});
