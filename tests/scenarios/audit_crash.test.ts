import assert from "node:assert/strict";
import { describe } from "node:test";
import { auditCrashes } from "../proofs/audit_crashes.ts";
import { proves } from "../support/proves.ts";

describe("the audit of a gateway that is killed under load", () => {
  proves("X3", "nothing ran unrecorded, nothing answered unrecorded, nothing twice", async () => {
    const { calls, rows, runs, problems } = await auditCrashes({ kills: 2, rate: 300 });
    assert.deepEqual(problems, []);
    assert.ok(calls > 0 && rows > 0);
    assert.equal(runs, 3);
  }, { timeout: 180_000 });
});
