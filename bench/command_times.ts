import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { Options, RuntimeName } from "./options.ts";
import type { Pinning } from "./pinning.ts";
import { PROGRAMS, run } from "./runtimes.ts";
import { atMost, type Verdict } from "./verdict.ts";

/** What a person waits for before anything has happened: help, and each press of the Tab key. */
const COMMANDS = { help: ["--help"], completion: ["complete", "--", "st"] } as const;
type CommandName = keyof typeof COMMANDS;

/** Milliseconds from spawn to exit, the best of all starts. */
export interface CommandTime {
  readonly runtime: RuntimeName;
  /** `empty`: a program without a line, the anchor of its runtime. */
  readonly program: "empty" | "bundle" | "executable";
  readonly name: CommandName | undefined;
  readonly ms: number;
}

interface Timed extends Omit<CommandTime, "ms"> {
  readonly command: readonly string[];
}

/** Runs an empty program and the commands in turn, `options.starts` times each. */
export function measureCommands(
  { options, pinning }: { options: Options; pinning: Pinning },
): CommandTime[] {
  return options.runtimes.flatMap((runtime) => {
    const rows = programsOf(runtime).map((timed) => ({ ...timed, tries: [] as number[] }));
    for (let n = 0; n < options.starts; n++) {
      for (const { command, tries } of rows) {
        tries.push(msUntilExit(pinning.onTargetCore(command)));
      }
    }
    return rows.map(({ program, name, tries }) => ({
      runtime,
      program,
      name,
      ms: Math.min(...tries),
    }));
  });
}

/** The executable that was made with Bun counts as Bun's; both only after a build. */
function programsOf(runtime: RuntimeName): Timed[] {
  const empty: Timed = {
    runtime,
    program: "empty",
    name: undefined,
    command: run(runtime, PROGRAMS.empty),
  };
  const bundle = (...args: readonly string[]) => run(runtime, PROGRAMS.bundle, ...args);
  const executable = (...args: readonly string[]) => [PROGRAMS.executable, ...args];
  const isMade = runtime === "bun" && existsSync(PROGRAMS.executable);
  return [
    empty,
    ...(existsSync(PROGRAMS.bundle) ? commands(runtime, "bundle", bundle) : []),
    ...(isMade ? commands(runtime, "executable", executable) : []),
  ];
}

function commands(
  runtime: RuntimeName,
  program: CommandTime["program"],
  command: (...args: readonly string[]) => readonly string[],
): Timed[] {
  const names = Object.keys(COMMANDS) as CommandName[];
  return names.map((name) => ({ runtime, program, name, command: command(...COMMANDS[name]) }));
}

function msUntilExit([file = "", ...args]: readonly string[]): number {
  const begin = performance.now();
  execFileSync(file, args, { stdio: ["ignore", "pipe", "ignore"] });
  return performance.now() - begin;
}

/** Cells of a table: program, command, runtime, ms, and how many times the empty program that is. */
export function commandCells(times: readonly CommandTime[]): (string | number)[][] {
  return times.map((time) => [
    PROGRAM_NAMES[time.program],
    time.runtime,
    time.name === undefined ? "–" : COMMANDS[time.name].join(" "),
    time.ms.toFixed(1),
    ratio(time, times),
  ]);
}

const PROGRAM_NAMES: Record<CommandTime["program"], string> = {
  empty: "empty program",
  bundle: "bundle",
  executable: "executable",
};

/** Help and completion answer within twice the time a runtime needs for nothing. */
export function commandGoals(times: readonly CommandTime[]): Verdict[] {
  return times.flatMap((time) => {
    if (time.name === undefined) return [];
    const target = `${PROGRAM_NAMES[time.program]}, ${time.runtime}`;
    return [atMost(2, { goal: `${time.name} ÷ empty program`, target, got: ratio(time, times) })];
  });
}

function ratio({ runtime, ms }: CommandTime, times: readonly CommandTime[]): number {
  const empty = times.find((one) => one.runtime === runtime && one.program === "empty");
  return ms / (empty?.ms ?? Number.NaN);
}
