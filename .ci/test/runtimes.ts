import { join } from "node:path";
import { ROOT } from "../../tests/arch/source_files.ts";

export const RUNTIMES = ["deno", "node", "bun"] as const;
export type Runtime = (typeof RUNTIMES)[number];

/** What is the same whichever runtime looks (files, tools of Debian, executables): the quickest does. */
const ONCE = [
  "tests/bench/",
  "tests/build/bun_",
  "tests/build/deno_",
  "tests/ci/",
  "tests/deploy/",
  "tests/docs/",
  // Short forms of long proofs: at full size each is a command, for any runtime.
  "tests/scenarios/idle_sessions",
  "tests/scenarios/overload",
  "tests/scenarios/slow_clients",
  "tests/scenarios/soak_short",
];

/** Whether a whole run has this file on this runtime. */
export function runsOn(runtime: Runtime, file: string): boolean {
  return runtime === "bun" || !ONCE.some((begin) => file.startsWith(begin));
}

/** One file on one runtime. */
export interface Run {
  readonly runtime: Runtime;
  readonly file: string;
  /** Where Node writes the coverage of `src` and `cli`; undefined for a run without. */
  readonly lcov?: string | undefined;
}

/** For one test; Bun's own default of five seconds is too short for real servers. */
const TEST_LIMIT_MS = 60_000;

/** The command that runs one test file and writes a JUnit report, on Node also coverage as lcov. */
export function testCommand(
  { runtime, file, lcov }: Run,
  report: string,
): [string, readonly string[]] {
  const args = {
    // Types are checked by `npm run check`.
    deno: ["test", "--allow-all", "--no-check", `--junit-path=${report}`, file],
    node: [
      "--test-reporter=spec",
      "--test-reporter-destination=stdout",
      "--test-reporter=junit",
      `--test-reporter-destination=${report}`,
      ...(lcov === undefined ? [] : coverageArgs(lcov)),
      file,
    ],
    bun: [
      "test",
      `--timeout=${TEST_LIMIT_MS}`,
      "--reporter=junit",
      `--reporter-outfile=${report}`,
      `./${file}`,
    ],
  };
  return [join(ROOT, "node_modules", ".bin", runtime), args[runtime]];
}

function coverageArgs(lcov: string): string[] {
  return [
    "--experimental-test-coverage",
    "--test-coverage-include=src/**",
    "--test-coverage-include=cli/**",
    "--test-reporter=lcov",
    `--test-reporter-destination=${lcov}`,
  ];
}
