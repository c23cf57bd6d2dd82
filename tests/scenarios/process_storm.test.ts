/** The short form of `npm run proof:children`: 21 rounds on the runtime of the test. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe } from "node:test";
import { processStorm } from "../proofs/process_storm.ts";
import { proves } from "../support/proves.ts";
import { RUNTIME } from "../support/runtime.ts";

const TIMEOUT = { timeout: 120_000 };
const WITHOUT_PROC = { skip: !existsSync("/proc/self/stat") };

describe("connects, cancels and reloads with stubborn children", WITHOUT_PROC, () => {
  proves(
    "G8.5",
    "leave no process and no descriptor, and a killed gateway leaves none of them",
    async () => {
      const report = await processStorm({ rounds: 21, runtime: RUNTIME });
      assert.deepEqual(report.problems, []);
      assert.ok(report.most.processes > report.baseline.processes);
      assert.ok(report.killed > report.baseline.processes);
    },
    TIMEOUT,
  );
});
