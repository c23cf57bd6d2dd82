/**
 * The whole suite on Deno, Node and Bun, one after another, then the gates of requirements and coverage:
 *
 *     main.ts [--only deno|node|bun] [test files]
 *
 * Every file runs in a process of its own, so that a hang, a crash or a leak of one file cannot
 * hide in another. The last line is `N passed, N failed`, summed over the runtimes.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { testFiles } from "../../tests/arch/source_files.ts";
import { coverageFile, coverageProblems, isCounted } from "./coverage.ts";
import { requirementsGate } from "./gate.ts";
import { runAll, sum, summaryOf } from "./run_all.ts";
import type { FileResult } from "./run_file.ts";
import { runsOn, type Runtime, RUNTIMES } from "./runtimes.ts";

/** For all runtimes together. */
const RUN_LIMIT_MS = 22 * 60_000;

const { values, positionals } = parseArgs({
  options: { only: { type: "string" } },
  allowPositionals: true,
});
const runtimes = RUNTIMES.filter((name) => values.only === undefined || name === values.only);
const everything = positionals.length === 0 && values.only === undefined;
process.exitCode = await main();

function filesOf(runtime: Runtime): readonly string[] {
  return positionals.length > 0 ? positionals : testFiles().filter((file) => runsOn(runtime, file));
}

async function main(): Promise<number> {
  const reports = mkdtempSync(join(tmpdir(), "sentinel-test-"));
  const deadline = performance.now() + RUN_LIMIT_MS;
  const results: FileResult[] = [];
  const summaries: string[] = [];
  for (const runtime of runtimes) {
    const runs = filesOf(runtime).map((file, index) => {
      const counts = everything && runtime === "node" && isCounted(file);
      return { runtime, file, ...(counts ? { lcov: coverageFile(reports, index) } : {}) };
    });
    const own = await runAll(runs, reports, deadline);
    summaries.push(summaryOf(runtime, own));
    results.push(...own);
  }
  const problems = everything ? [...requirementsGate(results), ...coverageProblems(reports)] : [];
  rmSync(reports, { recursive: true, force: true });
  for (const problem of problems) console.log(`  FAILED ${problem}`);
  for (const line of summaries) console.log(line);
  const passed = sum(results, "passed");
  const failed = sum(results, "failed") + problems.length + (results.length === 0 ? 1 : 0);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
