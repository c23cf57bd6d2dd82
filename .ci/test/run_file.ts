/** Runs one test file on one runtime and judges the result. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type Finished, runGroup } from "../group.ts";
import { readJunit, type TestCase } from "./junit.ts";
import { type Run, testCommand } from "./runtimes.ts";

export interface FileResult extends Run {
  readonly cases: readonly TestCase[];
  readonly passed: number;
  /** Failed tests, or 1 when the file as a whole failed. */
  readonly failed: number;
  /** Why the file failed as a whole. */
  readonly problem?: string;
  readonly output: string;
  readonly ms: number;
}

/** Runs `file`; nothing it does makes this reject. */
export async function runFile(run: Run, reports: string, limitMs: number): Promise<FileResult> {
  const { runtime, file } = run;
  const report = join(reports, `${runtime}-${file.replaceAll("/", "-")}.xml`);
  const [command, args] = testCommand(run, report);
  const finished = await runGroup(command, args, limitMs, environmentOf(run, reports));
  const cases = readReport(report);
  return judge(run, cases, finished);
}

/** Node starts three times as fast from a cache of compiled sources; the others have one of their own, or need none. */
function environmentOf({ runtime }: Run, reports: string): NodeJS.ProcessEnv {
  if (runtime !== "node") return {};
  return { NODE_COMPILE_CACHE: join(reports, "compiled") };
}

/** A file that was not started because the time for the whole run is over. */
export function notRun(run: Run): FileResult {
  const problem = "not run: the time for the whole run is over";
  return { ...run, cases: [], passed: 0, failed: 1, problem, output: "", ms: 0 };
}

/** A runner's word is not enough: silence, forbidden skips and a bad exit are failures too. */
export function judge(run: Run, cases: readonly TestCase[], finished: Finished): FileResult {
  const problem = problemOf(cases, finished);
  return {
    ...run,
    cases,
    passed: count(cases, "passed"),
    failed: count(cases, "failed") + (problem === undefined ? 0 : 1),
    ...(problem === undefined ? {} : { problem }),
    output: finished.output,
    ms: finished.ms,
  };
}

function problemOf(cases: readonly TestCase[], finished: Finished): string | undefined {
  const { timedOut, code, ms } = finished;
  const failed = count(cases, "failed");
  const skipped = count(cases, "skipped");
  if (timedOut) return `no end within ${Math.round(ms / 1000)} s`;
  if (cases.length === 0) return "ran no test";
  if (code !== 0 && failed === 0) return `exit code ${code ?? "missing"} without a failed test`;
  if (code === 0 && failed > 0) return "exit code 0 with failed tests";
  if (skipped > 0 && process.env["NO_SKIPS"] === "true") return `skipped ${skipped} tests`;
  return undefined;
}

function count(cases: readonly TestCase[], outcome: TestCase["outcome"]): number {
  return cases.filter((test) => test.outcome === outcome).length;
}

function readReport(report: string): TestCase[] {
  try {
    return readJunit(readFileSync(report, "utf8"));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw cause;
  } finally {
    rmSync(report, { force: true });
  }
}
