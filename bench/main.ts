/**
 * `npm run bench`: what a call through the gateway costs, against proxies that know nothing of MCP and
 * the SDK used as a proxy, all in one run. Options: `bench/options.ts`. Exit code 1 when a reply was wrong.
 */
import { existsSync, writeFileSync } from "node:fs";
import process from "node:process";
import { type Configs, writeConfigs } from "./configs.ts";
import { BenchError } from "./errors.ts";
import { loadNow, machineLine } from "./machine.ts";
import { type Options, readOptions } from "./options.ts";
import { pin } from "./pinning.ts";
import { killStarted, start } from "./process.ts";
import { goalsTable } from "./report.ts";
import { PROGRAMS, run } from "./runtimes.ts";
import { type Outcome, runSection } from "./sections.ts";
import type { TargetPlan } from "./targets.ts";

// Bun's server costs least, so that the backend weighs least on the core it shares.
const BACKEND: TargetPlan = { role: "direct", runtime: "bun", command: run("bun", PROGRAMS.echo) };

const INTRO = `# Benchmark results

Written by \`npm run bench -- --write\`. Ratios are taken round by round within one run and are what to
compare; req/s and latencies belong to one machine and hour. CPU time is the scheduler's own account of
all threads and children of a target. Echo of 64 bytes unless said; every reply checked for id and result.
`;

async function main(options: Options): Promise<void> {
  if (!existsSync("/proc/self/schedstat")) {
    throw new BenchError("Run the benchmark on Linux: CPU time is read from /proc/PID/schedstat");
  }
  const pinning = pin();
  const loadBefore = loadNow();
  const running = await start(pinning.onLoadCore(BACKEND.command));
  const configs = writeConfigs(running.url);
  cleanUpOnExit(configs);
  process.env["XDG_STATE_HOME"] = configs.state;
  const bench = { options, pinning, configs, backend: { plan: BACKEND, running, loads: [] } };
  try {
    const outcomes: Outcome[] = [];
    for (const section of options.sections) outcomes.push(await runSection(section, bench));
    const load = `load average ${loadBefore} before, ${loadNow()} after`;
    publish(`${machineLine(pinning.active)}; ${load}.`, outcomes, options);
  } finally {
    await running.stop();
  }
}

function cleanUpOnExit(configs: Configs): void {
  process.once("exit", () => {
    killStarted();
    configs.remove();
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
}

function publish(machine: string, outcomes: readonly Outcome[], { write }: Options): void {
  const parts = outcomes.map(({ markdown }) => markdown);
  const goals = goalsTable(outcomes.flatMap(({ verdicts }) => verdicts));
  const report = [INTRO, machine, "", ...parts, `## Goals\n\n${goals}`].join("\n");
  process.stdout.write(report);
  if (write) writeFileSync(PROGRAMS.results, report);
  const errors = outcomes.flatMap((outcome) => outcome.errors);
  for (const error of errors) process.stderr.write(`${error}\n`);
  if (errors.length > 0) process.exitCode = 1;
}

await main(readOptions(process.argv.slice(2)));
