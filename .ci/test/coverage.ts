/**
 * At least nine of ten code lines of `src` and `cli` must run in the tests, counted on Node.
 * A file no test loads counts with all its lines. Children that run the command line count when
 * they end by themselves; what a killed one had run is lost.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readSource, sourceFiles } from "../../tests/arch/source_files.ts";
import { codeLines } from "./code_lines.ts";
import { coveredLines } from "./lcov.ts";

const GOAL = 0.9;
const SHOWN = 15;
const SUFFIX = ".info";

/** Scenarios run whole gateways as children: counting what these run would take them twice the time. */
const UNCOUNTED = /^tests\/(scenarios|conformance)\//;

/** Whether what a test file runs is counted. */
export function isCounted(file: string): boolean {
  return !UNCOUNTED.test(file);
}

/** Where the file with this number writes what it has run. */
export function coverageFile(folder: string, index: number): string {
  return join(folder, `${index}${SUFFIX}`);
}

/** Compares what was written to a folder with the goal; says what is wrong. */
export function coverageProblems(folder: string): string[] {
  const reports = readdirSync(folder).filter((name) => name.endsWith(SUFFIX))
    .map((name) => readFileSync(join(folder, name), "utf8"));
  const hits = coveredLines(reports.join("\n"));
  const rows = sourceFiles("src", "cli").map((file): FileCoverage => {
    const lines = codeLines(file, readSource(file));
    const covered = lines.filter((line) => hits.get(file)?.has(line)).length;
    return { file, lines: lines.length, covered };
  });
  const lines = rows.reduce((total, row) => total + row.lines, 0);
  const covered = rows.reduce((total, row) => total + row.covered, 0);
  const share = lines === 0 ? 0 : covered / lines;
  console.log(`coverage: ${covered} of ${lines} code lines, ${(share * 100).toFixed(1)} %`);
  if (share >= GOAL) return [];
  return [`coverage below ${GOAL * 100} %; most lack\n${worst(rows)}`];
}

interface FileCoverage {
  readonly file: string;
  readonly lines: number;
  readonly covered: number;
}

function worst(rows: readonly FileCoverage[]): string {
  const missing = (row: FileCoverage) => row.lines - row.covered;
  return rows.toSorted((a, b) => missing(b) - missing(a)).slice(0, SHOWN)
    .map((row) => `${String(missing(row)).padStart(5)} lines not run in ${row.file}`).join("\n");
}
