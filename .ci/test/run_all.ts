/** Runs the files of a suite on one runtime, a few at a time, and prints as they end. */
import { availableParallelism } from "node:os";
import process from "node:process";
import { type FileResult, notRun, runFile } from "./run_file.ts";
import type { Run, Runtime } from "./runtimes.ts";

/** Files start real servers and children: more than one per core starves them. */
const PARALLEL = Math.min(4, availableParallelism());
const FILE_LIMIT_MS = 180_000;
/** On a shared machine a file may fail for lack of time, not of truth; more than this is no accident. */
const MAX_SECOND_RUNS = 2;

/** Results in the order of `runs`; a run that cannot start before `deadline` counts as failed. */
export async function runAll(
  runs: readonly Run[],
  reports: string,
  deadline: number,
): Promise<FileResult[]> {
  const results: FileResult[] = [];
  const waiting = runs.entries();
  const worker = async () => {
    for (const [index, run] of waiting) {
      const left = Math.min(FILE_LIMIT_MS, deadline - performance.now());
      const result = left > 0 ? await runFile(run, reports, left) : notRun(run);
      results[index] = result;
      printFile(result);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  if (process.env["CI"] === "true") await runAgain(results, reports, deadline);
  return results;
}

/** Gives the few files that failed one run alone, and says so: what passes only then is a defect to be found. */
async function runAgain(results: FileResult[], reports: string, deadline: number): Promise<void> {
  for (const index of secondRuns(results)) {
    const left = Math.min(FILE_LIMIT_MS, deadline - performance.now());
    if (left <= 0) return;
    const { runtime, file, lcov } = results[index] as FileResult;
    const result = await runFile({ runtime, file, lcov }, reports, left);
    console.log(`UNSTABLE ${file} failed on ${runtime}; alone:`);
    printFile(result);
    results[index] = result;
  }
}

/** Which results are worth a second run: the failed ones, unless they are too many for an accident. */
export function secondRuns(results: readonly Pick<FileResult, "failed">[]): number[] {
  const failed = [...results.keys()].filter((index) => (results[index]?.failed ?? 0) > 0);
  return failed.length > MAX_SECOND_RUNS ? [] : failed;
}

function printFile({ runtime, file, cases, failed, problem, output, ms }: FileResult): void {
  const state = failed === 0 ? "ok    " : "FAILED";
  const tests = `${cases.length} tests`.padStart(9);
  const seconds = `${(ms / 1000).toFixed(1)} s`.padStart(7);
  console.log(`${runtime.padEnd(4)} ${state} ${tests} ${seconds}  ${file}`);
  if (problem !== undefined) console.log(`     ${problem}`);
  if (failed > 0) console.log(output.trimEnd().replace(/^/gm, "     | "));
}

/** One line for a runtime; never the form of the last line of the whole run. */
export function summaryOf(runtime: Runtime, results: readonly FileResult[]): string {
  const passed = sum(results, "passed");
  const failed = sum(results, "failed");
  const skipped = results.flatMap(({ cases }) => cases)
    .filter(({ outcome }) => outcome === "skipped").length;
  return `${runtime}: ${results.length} files, ${passed} tests passed, ${failed} failed, ` +
    `${skipped} skipped`;
}

/** Passed or failed tests of all files together. */
export function sum(results: readonly FileResult[], key: "passed" | "failed"): number {
  return results.reduce((total, result) => total + result[key], 0);
}
