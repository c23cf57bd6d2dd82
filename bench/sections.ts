import process from "node:process";
import type { Configs } from "./configs.ts";
import { httpGoals, polledGoals, startUpGoals, stdioGoals, type Verdict } from "./goals.ts";
import type { Options, RuntimeName, Section } from "./options.ts";
import type { Pinning } from "./pinning.ts";
import { measurePolled, type Polled, SCALE } from "./polled.ts";
import { complaints, polledTables, startUpTable, throughputTables } from "./report.ts";
import { measureStartUp } from "./startup.ts";
import { httpTargets, type Setting, stdioTargets, type TargetPlan } from "./targets.ts";
import { type Level, type Live, measure } from "./throughput.ts";

/** What every section needs to know of its run. */
export interface Bench {
  readonly options: Options;
  readonly pinning: Pinning;
  readonly configs: Configs;
  /** The HTTP backend, already running. */
  readonly backend: Live;
}

/** One part of the report; `errors` says which targets gave wrong replies. */
export interface Outcome {
  readonly markdown: string;
  readonly verdicts: readonly Verdict[];
  readonly errors: readonly string[];
}

/** Measures one section. */
export function runSection(section: Section, bench: Bench): Promise<Outcome> {
  process.stderr.write(`Measuring ${section}\n`);
  return SECTION_RUNNERS[section](bench);
}

const SECTION_RUNNERS: Record<Section, (bench: Bench) => Promise<Outcome>> = {
  async http(bench) {
    const levels = await throughput(bench, httpTargets, bench.configs.http);
    return {
      markdown: `## HTTP backend\n\n${throughputTables(levels)}`,
      verdicts: httpGoals(levels),
      errors: complaints(levels),
    };
  },

  async stdio(bench) {
    const levels = await throughput(bench, stdioTargets, bench.configs.stdio);
    return {
      markdown: `## Stdio backend\n\n${STDIO_NOTE}\n${throughputTables(levels)}`,
      verdicts: stdioGoals(levels),
      errors: complaints(levels),
    };
  },

  async startup(bench) {
    const startUps = await measureStartUp(bench.configs.http, bench);
    return {
      markdown: `## Start-up\n\n${startUpTable(startUps)}`,
      verdicts: startUpGoals(startUps),
      errors: [],
    };
  },

  async polled(bench) {
    const measured = await measurePolled(bench);
    return {
      markdown: `## Looked at each second\n\n${POLLED_NOTE}\n${polledTables(measured)}`,
      verdicts: polledGoals(measured),
      errors: measured.flatMap(wrongReplies),
    };
  },
};

function throughput(
  bench: Bench,
  targetsOf: (runtime: RuntimeName, setting: Setting) => TargetPlan[],
  config: string,
): Promise<Level[]> {
  const setting = { backend: bench.backend.running.url, config };
  const plans = bench.options.runtimes.flatMap((runtime) => targetsOf(runtime, setting));
  return measure(bench.backend, plans, bench);
}

function wrongReplies({ runtime, alone, polled }: Polled): string[] {
  const bad = [...alone, ...polled].find(({ errors }) => errors > 0);
  return bad === undefined ? [] : [`polled gateway, ${runtime}: first ${bad.firstError}`];
}

const POLLED_NOTE =
  `A gateway with ${SCALE.backends} backends of ${SCALE.toolsOfBackend} tools and ${SCALE.sessions} open
sessions, 32 calls in flight, left alone and asked for its first pages and metrics each second, in turn.
`;

const STDIO_NOTE =
  `Gateway and SDK proxy have one child, shared by all sessions, on Node; its CPU time and memory are
included. The backend alone and the bare proxies speak HTTP: they are the scale, not rivals. Published
figures of peers, all on Node, from another run of the same shape at 32 in flight: naive SDK proxy 1557
req/s, mcp-proxy 1318, supergateway 2350 with a child for each of 8 sessions.
`;
