/**
 * The full-size proofs of the control plane, as commands: `npm run proof:reload` and so on. The suite
 * runs shorter forms of them. `--runtime node|deno|bun`: what the gateway runs on, Node without it;
 * `--size N`: fewer or more rounds, events or tries than a full proof has; `--minutes N`, `--store
 * sqlite|redis`: length of the soak, and what its sessions are kept in.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { parseArgs } from "node:util";
import { commandOf, RUNTIME, type Runtime } from "../support/runtime.ts";
import { auditCrashes } from "./audit_crashes.ts";
import { auditOutage } from "./audit_outage.ts";
import { drain } from "./drain.ts";
import { readersOfEvents } from "./event_readers.ts";
import { failFast } from "./overload/fail_fast.ts";
import { idleSessions } from "./idle_sessions.ts";
import { isolation } from "./isolation.ts";
import { killUnderLoad } from "./kill_under_load.ts";
import { leavers } from "./leavers/leavers.ts";
import { operationStorm } from "./operation_storm.ts";
import { overload } from "./overload/overload.ts";
import { rollingRestart } from "./rolling_restart.ts";
import { processStorm } from "./process_storm.ts";
import { runInOwnNetwork } from "./slow/own_network.ts";
import { slowClients } from "./slow/slow_clients.ts";
import { markdownOf, soak } from "./soak.ts";
import { storm } from "./reload_storm.ts";
import { SIGNIFICANT_T, tokenTiming } from "./token_timing.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runtime: { type: "string", default: "node" },
    size: { type: "string" },
    minutes: { type: "string", default: "20" },
    store: { type: "string", default: "sqlite" },
  },
});
const runtime = values.runtime as Runtime;
const size = (full: number) => Number(values.size ?? full);

/** What each proof has found wrong. */
const PROOFS: Readonly<Record<string, () => Promise<readonly string[]>>> = {
  async reload() {
    const { calls, failed, achieved, reloads } = await storm({
      reloads: size(200),
      rate: 500,
      runtime,
    });
    console.log(`${calls} calls, ${achieved} per second, ${failed.length} failed`);
    console.log("reloads", reloads);
    return failed.map((call) => JSON.stringify(call));
  },

  async kill() {
    const { calls, refused, wrong } = await killUnderLoad({ rounds: size(60), rate: 500, runtime });
    console.log(`${calls} calls, ${refused} refused by a switch, ${wrong.length} wrong`);
    return wrong;
  },

  async audit() {
    const report = await auditCrashes({ kills: size(10), rate: 500, runtime });
    const { problems, ...figures } = report;
    console.log(figures);
    return problems;
  },

  async children() {
    const { problems, ...figures } = await processStorm({ rounds: size(500), runtime });
    console.log(figures);
    return problems;
  },

  async outage() {
    const { problems, ...figures } = await auditOutage({ seconds: size(60), rate: 500, runtime });
    console.log(figures);
    return problems;
  },

  async drain() {
    const stops = await drain({ calls: size(200), streams: size(500), runtime });
    for (const { problems: _, ...figures } of stops) console.log(figures);
    return stops.flatMap(({ problems }) => problems);
  },

  async rolling() {
    const report = await rollingRestart({
      restarts: size(10),
      rate: 200,
      withChild: true,
      runtime,
    });
    const { problems, ...figures } = report;
    console.log(figures);
    return problems;
  },

  async idle() {
    const report = await idleSessions({ sessions: size(10_000), rate: 100, seconds: 60, runtime });
    const { problems, missed, ...figures } = report;
    console.log(figures);
    return [...problems, ...missed];
  },

  async isolation() {
    const report = await isolation({
      backends: 20,
      rate: 200,
      seconds: size(20),
      rounds: 7,
      runtime,
    });
    const { problems, ...figures } = report;
    console.log(figures);
    return figures.ratio > 1.1 ? [...problems, `p99 × ${figures.ratio}, goal ≤ 1.1`] : problems;
  },

  async overload() {
    const options = { stepMs: 2500, usualMs: 10_000, overloadMs: size(10) * 1000, isPinned: true };
    const gateway = { bottleneck: "gateway", connections: 1000, from: 500 } as const;
    const backend = { bottleneck: "backend", connections: 1000, from: 100 } as const;
    const wrong: string[] = [];
    for (const scenario of [gateway, backend]) {
      const report = await overload({ ...scenario, ...options, runtime });
      const { problems, missed, ...figures } = report;
      console.log(scenario);
      console.dir(figures, { depth: null });
      wrong.push(...[...problems, ...missed].map((text) => `${scenario.bottleneck}: ${text}`));
    }
    const report = await failFast({ rate: 100, shakySeconds: 20, silentSeconds: 20, runtime });
    const { problems, missed, ...figures } = report;
    console.log(figures);
    return [...wrong, ...problems, ...missed];
  },

  async leavers() {
    const { problems, missed, ...figures } = await leavers({
      leavers: size(10_000),
      rate: 200,
      others: 50,
      parts: 4,
      runtime,
    });
    console.log(figures);
    return [...problems, ...missed];
  },

  async slow() {
    const again = runInOwnNetwork(commandOf("tests/proofs/main.ts", process.argv.slice(2)));
    if (again !== undefined) return again === 0 ? [] : ["not proven in a network of its own"];
    const { problems, missed, ...figures } = await slowClients({
      each: size(2000),
      perSecond: 50,
      rate: 100,
      seconds: 60,
      attackSeconds: 100,
      bytes: 250_000,
      pauseMs: 20_000,
      runtime,
    });
    console.dir(figures, { depth: null });
    return [...problems, ...missed];
  },

  async soak() {
    const store = values.store === "redis" ? "redis" : "sqlite";
    const report = await soak({ minutes: Number(values.minutes), rate: 150, runtime, store });
    console.log(markdownOf(report, runtime));
    return report.isFlat ? report.problems : [...report.problems, "memory grows"];
  },

  async events() {
    const { events, connections, read } = await readersOfEvents({
      events: size(100_000),
      cuts: 50,
      runtime,
    });
    console.log(
      `${events} events; connections of client and raw reader: ${connections.join(", ")}`,
    );
    console.log(`raw reader got ${read} events, also those it asked for again`);
    return [];
  },

  async operations() {
    const { requests, acts } = await operationStorm({ wave: 200, ends: size(200), runtime });
    console.log(`${requests} requests`, acts);
    return [];
  },

  async timing() {
    // It measures within its own process.
    if (runtime !== RUNTIME) return elsewhere();
    const { tries, t } = await tokenTiming(size(100_000));
    console.log(`${tries} tries; t by share of the quickest tries`, t);
    return Object.entries(t).filter(([, value]) => Math.abs(value) >= SIGNIFICANT_T)
      .map(([share, value]) => `t is ${value} over the quickest ${share}`);
  },
};

/** Runs the same command on the wanted runtime. */
function elsewhere(): readonly string[] {
  const { command, args } = commandOf("tests/proofs/main.ts", process.argv.slice(2), runtime);
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  return status === 0 ? [] : [`not proven on ${runtime}`];
}

const proof = PROOFS[positionals[0] ?? ""];
if (proof === undefined) throw new Error(`Name a proof: ${Object.keys(PROOFS).join(", ")}`);
const problems = await proof();
for (const problem of problems) console.log(problem);
console.log(problems.length === 0 ? "proven" : `${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
