/**
 * At least nine of ten code lines of `src` and `cli` must run in the tests, counted on Node.
 * A file no test loads counts with all its lines. Children that run the command line count when
 * they end by themselves; what a killed one had run is lost.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSource, sourceFiles, testFiles } from "../../tests/arch/source_files.ts";
import { runAll, sum } from "../test/run_all.ts";
import { codeLines } from "./code_lines.ts";
import { coveredLines } from "./lcov.ts";
import type { Outcome } from "./steps.ts";

const GOAL = 0.9;
const LIMIT_MS = 6 * 60_000;
const SHOWN = 15;

/** Runs the suite on Node with coverage and compares with the goal. */
export async function checkCoverage(): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "sentinel-coverage-"));
  try {
    const runs = testFiles().map((file, index) => ({
      runtime: "node" as const,
      file,
      lcov: join(folder, `${index}.info`),
    }));
    const results = await runAll(runs, folder, performance.now() + LIMIT_MS);
    const reports = runs.filter(({ lcov }) => existsSync(lcov))
      .map(({ lcov }) => readFileSync(lcov, "utf8"));
    const outcome = judgeCoverage(sourceFiles("src", "cli"), reports.join("\n"));
    return { ...outcome, ok: outcome.ok && sum(results, "failed") === 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface FileCoverage {
  readonly file: string;
  readonly lines: number;
  readonly covered: number;
}

/** Compares a report with the goal; says which files lack most. */
function judgeCoverage(files: readonly string[], lcov: string): Outcome {
  const hits = coveredLines(lcov);
  const rows = files.map((file): FileCoverage => {
    const lines = codeLines(file, readSource(file));
    const covered = lines.filter((line) => hits.get(file)?.has(line)).length;
    return { file, lines: lines.length, covered };
  });
  const lines = rows.reduce((total, row) => total + row.lines, 0);
  const covered = rows.reduce((total, row) => total + row.covered, 0);
  const share = lines === 0 ? 0 : covered / lines;
  console.log(`coverage: ${covered} of ${lines} code lines, ${(share * 100).toFixed(1)} %`);
  return { ok: share >= GOAL, seen: rows.length, output: worst(rows) };
}

function worst(rows: readonly FileCoverage[]): string {
  const missing = (row: FileCoverage) => row.lines - row.covered;
  return rows.toSorted((a, b) => missing(b) - missing(a)).slice(0, SHOWN)
    .map((row) => `${String(missing(row)).padStart(5)} lines not run in ${row.file}`).join("\n");
}
