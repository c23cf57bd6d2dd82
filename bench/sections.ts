import process from "node:process";
import { commandGoals, measureCommands } from "./command_times.ts";
import type { Configs } from "./configs.ts";
import { eraGoals, measureEras } from "./eras.ts";
import { measureFull } from "./full.ts";
import { fullGoals } from "./full_goals.ts";
import { httpGoals, polledGoals, startUpGoals, stdioGoals } from "./goals.ts";
import type { Options, RuntimeName, Section } from "./options.ts";
import type { Pinning } from "./pinning.ts";
import { measurePolled, type Polled, SCALE } from "./polled.ts";
import {
  commandTables,
  complaints,
  polledTables,
  startUpTable,
  throughputTables,
} from "./report.ts";
import { PROGRAMS } from "./runtimes.ts";
import { measureStartUp } from "./startup.ts";
import {
  fullProgram,
  httpTargets,
  type Setting,
  stdioTargets,
  type TargetPlan,
} from "./targets.ts";
import { type Level, type Live, measureLevels, withTargets } from "./throughput.ts";
import type { Verdict } from "./verdict.ts";
import { ECHO } from "./work.ts";

/** What every section needs to know of its run. */
export interface Bench {
  readonly options: Options;
  readonly pinning: Pinning;
  readonly configs: Configs;
  /** The HTTP backend, already running. */
  readonly backend: Live;
}

/** One part of the report; `errors` says which targets gave wrong replies, or lost rows of their audit. */
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

  async full(bench) {
    const { levels, mistakes } = await measureFull(bench);
    const program = fullProgram() === PROGRAMS.bundle ? "bundled" : "from source";
    return {
      markdown: `## Everything on\n\n${fullNote(program)}\n${throughputTables(levels)}`,
      verdicts: fullGoals(levels),
      errors: [...complaints(levels), ...mistakes],
    };
  },

  async eras(bench) {
    const levels = await measureEras(bench);
    return {
      markdown: `## Between the eras\n\n${ERAS_NOTE}\n${throughputTables(levels)}`,
      verdicts: eraGoals(levels),
      errors: complaints(levels),
    };
  },

  async startup(bench) {
    const startUps = await measureStartUp(bench.configs.startUp, bench);
    const commands = measureCommands(bench);
    return {
      markdown: `## Start-up\n\n${startUpTable(startUps)}\n${commandTables(commands)}`,
      verdicts: [...startUpGoals(startUps), ...commandGoals(commands)],
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
  { options, pinning, backend }: Bench,
  targetsOf: (runtime: RuntimeName, setting: Setting) => TargetPlan[],
  config: string,
): Promise<Level[]> {
  const setting = { backend: backend.running.url, config };
  const plans = options.runtimes.flatMap((runtime) => targetsOf(runtime, setting));
  const loads = options.inFlight.map((inFlight) => ({ inFlight, work: ECHO, headers: "" }));
  return withTargets(
    plans,
    pinning,
    (started) => measureLevels([backend, ...started], loads, options),
  );
}

function wrongReplies({ runtime, alone, polled }: Polled): string[] {
  const bad = [...alone, ...polled].find(({ errors }) => errors > 0);
  return bad === undefined ? [] : [`polled gateway, ${runtime}: first ${bad.firstError}`];
}

const ERAS_NOTE =
  `Clients with sessions (2025-11-25) and without (2026-07-28), each before a backend with sessions and one
without; default configuration without the audit. What crosses is translated by the gateway.
`;

const POLLED_NOTE =
  `A gateway with ${SCALE.backends} backends of ${SCALE.toolsOfBackend} tools and ${SCALE.sessions} open
sessions, 32 calls in flight, left alone and asked for its first pages and metrics each second, in turn.
`;

function fullNote(program: string): string {
  return `Gateways, ${program}, with sign-in by token, roles, limits, checked arguments, metrics, and an audit that
goes to SQLite; all targets get the same requests, token included. After the last slice the audit must have
every call. The calls to tools that take some time are spread over that time.
`;
}

const STDIO_NOTE =
  `Gateway and SDK proxy have one child, shared by all sessions, on Node; its CPU time and memory are
included. The backend alone and the bare proxies speak HTTP: they are the scale, not rivals. Published
figures of peers, all on Node, from another run of the same shape at 32 in flight: naive SDK proxy 1557
req/s, mcp-proxy 1318, supergateway 2350 with a child for each of 8 sessions.
`;
