/** The steps of `npm run check`, in order: quick ones first. */
import { join } from "node:path";
import { ROOT, sourceFiles } from "../../tests/arch/source_files.ts";
import { runGroup } from "../group.ts";

export interface Outcome {
  readonly ok: boolean;
  /** Files the tool looked at, by its own account where it gives one. */
  readonly seen: number;
  readonly output: string;
}

export interface Step {
  readonly name: string;
  /** Fewer files mean that the tool looked at the wrong place, and the step fails. */
  readonly least: number;
  readonly run: () => Promise<Outcome>;
}

const STEP_LIMIT_MS = 3 * 60_000;
const SOURCES = sourceFiles("src", "cli");
const ALL = sourceFiles("src", "cli", "tests", "bench", ".ci");
const LAYER_TEST = "tests/arch/layers.test.ts";

/** Runs a tool of `node_modules/.bin`; `seen` reads from its output how many files it saw. */
function tool(
  name: string,
  args: readonly string[],
  seen: (output: string) => number,
): () => Promise<Outcome> {
  return async () => {
    const command = join(ROOT, "node_modules", ".bin", name);
    const { code, timedOut, output } = await runGroup(command, args, STEP_LIMIT_MS);
    const end = timedOut ? "\nno end within 3 minutes" : "";
    return { ok: code === 0, seen: seen(output), output: output + end };
  };
}

/** The number in the first match of a pattern; 0 where the tool says nothing. */
function counted(pattern: RegExp): (output: string) => number {
  return (output) => Number(pattern.exec(output)?.[1] ?? 0);
}

/** Paths `tsc --listFiles` printed that are ours. */
function listed(output: string): number {
  const lines = output.split("\n");
  return lines.filter((line) => line.startsWith(ROOT) && !line.includes("/node_modules/")).length;
}

export const STEPS: readonly Step[] = [
  {
    name: "deno fmt",
    least: ALL.length,
    run: tool("deno", ["fmt", "--check"], counted(/(?:Checked| in) (\d+) files?/)),
  },
  {
    name: "deno lint",
    least: ALL.length,
    run: tool("deno", ["lint"], counted(/Checked (\d+) files?/)),
  },
  {
    name: "oxlint",
    least: ALL.length,
    run: tool("oxlint", ["--type-aware", "--deny-warnings"], counted(/ on (\d+) files? with/)),
  },
  { name: "tsc", least: SOURCES.length, run: tool("tsc", ["-p", ".", "--listFiles"], listed) },
  {
    name: "tsc, pure",
    least: sourceFiles("src/contract", "src/ports", "src/core").length,
    run: tool("tsc", ["-p", "tsconfig.pure.json", "--listFiles"], listed),
  },
  {
    name: "deno check",
    least: ALL.length,
    run: tool("deno", ["check", "--quiet", ...ALL], () => ALL.length),
  },
  {
    name: "layers",
    least: SOURCES.length,
    run: tool("node", ["--test", LAYER_TEST], () => SOURCES.length),
  },
  {
    name: "knip",
    least: SOURCES.length,
    run: tool(
      "knip",
      ["--no-progress", "--reporter=symbols", "--reporter=./.ci/check/knip_reporter.mjs"],
      counted(/knip saw (\d+) files/),
    ),
  },
  {
    name: "docs",
    least: 5,
    run: tool("node", [".ci/generate/main.ts", "--check"], counted(/(\d+) pages/)),
  },
];
