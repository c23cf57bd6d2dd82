/**
 * What becomes of a gateway that is asked for five times as much as it can do: it goes on doing what it can, says no
 * to the rest at once, answers its operators, and is as before when the load is gone.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { stopAll } from "../../scenarios/stop_all.ts";
import { until } from "../../scenarios/until.ts";
import { laws, type RowC, rowsOf } from "../../support/faults/ledgers.ts";
import { ScriptedBackend } from "../../support/faults/scripted_backend.ts";
import type { Runtime } from "../../support/runtime.ts";
import { delivered, exportedAudit } from "../exported_audit.ts";
import { ManagedGateway } from "../managed_gateway.ts";
import { Onlookers } from "./onlookers.ts";
import { missedOf, type OverloadReport, TIMES } from "./goals.ts";
import { OpenLoad, type OpenRun, type PhaseSent } from "./open_load.ts";
import { figuresOf, isRefusal, looksIn, p99, type PhaseFigures, recoveryOf } from "./figures.ts";

export interface OverloadOptions {
  /** What the gateway is short of: its own time, or a backend of 50 ms that takes a few calls at a time. */
  readonly bottleneck: "gateway" | "backend";
  readonly connections: number;
  /** Calls per second the search for the peak begins with. */
  readonly from: number;
  /** Length of one step of the search. */
  readonly stepMs: number;
  /** Length of the load before and of that after the overload, of which the gateway takes half of its peak. */
  readonly usualMs: number;
  readonly overloadMs: number;
  /** Gives the gateway a core of its own; the other one is the load's and the backend's, with this process. */
  readonly isPinned: boolean;
  readonly runtime?: Runtime;
}

const GROWTH = 1.25;
const MAX_STEPS = 24;
/** Less than this share of the load is served: the peak is behind, if it is so twice. */
const SERVED = 0.9;

/** Goodput of so much of the best is as good: the rest is chance. */
const PEAK = 0.95;
const CLIENTS = 64;
const BACKEND_MS = 50;
const BACKEND_IN_FLIGHT = 16;
const DEADLINE_MS = 60_000;
const WAIT_MS = 60_000;
const DESCRIPTORS = 20_000;
const CORES = { load: "0", gateway: "1" };
const UNHANDLED = /unhandled|uncaught|this is a defect/i;

/** @throws AssertionError when the gateway is not ready in time */
export async function overload(options: OverloadOptions): Promise<OverloadReport> {
  const folder = await mkdtemp(join(tmpdir(), "overload-"));
  const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true })];
  try {
    const backend = await ScriptedBackend.start();
    ends.unshift(() => backend[Symbol.asyncDispose]());
    if (options.bottleneck === "backend") backend.standing = { do: "answer", ms: BACKEND_MS };
    const gateway = await ManagedGateway.start(tablesOf(options, backend), options.runtime);
    ends.unshift(() => gateway.remove());
    await ready(gateway);
    const load = await OpenLoad.start({
      url: gateway.url,
      tool: "remote__call",
      clients: CLIENTS,
      connections: options.connections,
      watched: { gateway: gateway.pid, backend: process.pid },
      ledger: join(folder, "load.ledger"),
    });
    ends.unshift(() => load[Symbol.asyncDispose]());
    for (const { pid } of [gateway, load]) raiseDescriptors(pid);
    if (options.isPinned) pin({ gateway: gateway.pid, load: load.pid });
    return await new Overload({ gateway, backend, load }, options).run();
  } finally {
    await stopAll(ends);
  }
}

/** Rates of callers are off: what is looked at are the limits that keep the gateway itself. */
function tablesOf({ bottleneck }: OverloadOptions, backend: ScriptedBackend) {
  const limits = { default: { rate: "1000000/s" } };
  const remote = { url: backend.urlOf("remote").href };
  const bounded = { ...remote, limits: { in_flight: BACKEND_IN_FLIGHT } };
  return { limits, backends: { remote: bottleneck === "gateway" ? remote : bounded } };
}

async function ready(gateway: ManagedGateway): Promise<void> {
  await until(async () => {
    const { body } = await gateway.ask("/backends?filter=state:ready");
    assert.equal(body.items.length, 1);
  }, WAIT_MS);
}

/** Each connection is one. */
function raiseDescriptors(pid: number): void {
  spawnSync("prlimit", ["--pid", String(pid), `--nofile=${DESCRIPTORS}:${DESCRIPTORS}`]);
}

function pin({ gateway, load }: { readonly gateway: number; readonly load: number }): void {
  const move = (pid: number, core: string) =>
    spawnSync("taskset", ["-a", "-c", "-p", core, String(pid)]);
  move(gateway, CORES.gateway);
  move(load, CORES.load);
  move(process.pid, CORES.load);
}

interface Stage {
  readonly gateway: ManagedGateway;
  readonly backend: ScriptedBackend;
  readonly load: OpenLoad;
}

type Phases = readonly [before: PhaseSent, overload: PhaseSent, after: PhaseSent];

class Overload {
  readonly #stage: Stage;
  readonly #options: OverloadOptions;
  readonly #calls: RowC[] = [];
  readonly #problems: string[] = [];

  constructor(stage: Stage, options: OverloadOptions) {
    this.#stage = stage;
    this.#options = options;
  }

  async run(): Promise<OverloadReport> {
    const { ramp, peak } = await this.#findPeak();
    const onlookers = new Onlookers(this.#stage.gateway);
    const run = await this.#stage.load.run("over-", this.#phases(peak.offered));
    await onlookers.stop();
    const rows = this.#take(run);
    const figures = { ramp, peak, ...this.#figures({ run, rows, onlookers, peak }) };
    this.#judgeCalls();
    await this.#judgeLedgers();
    if (figures.after.goodput === 0) this.#problems.push("no call is answered after the overload");
    return { ...figures, problems: this.#problems.slice(0, 20), missed: missedOf(figures) };
  }

  /** Twice the first step comes first: compilers of the runtimes have done their work then. */
  async #findPeak() {
    const { from, stepMs } = this.#options;
    await this.#step("warm", { rate: from, ms: 2 * stepMs });
    const ramp: PhaseFigures[] = [];
    for (let rate = from; ramp.length < MAX_STEPS && !isBehind(ramp); rate *= GROWTH) {
      ramp.push(await this.#step(`step-${ramp.length}`, { rate: Math.round(rate), ms: stepMs }));
    }
    const best = Math.max(...ramp.map(({ goodput }) => goodput));
    // The first of those that are as good: beyond the peak goodput may stay what it is.
    const at = ramp.find(({ goodput }) => goodput >= PEAK * best) as PhaseFigures;
    return { ramp, peak: { offered: at.offered, goodput: best } };
  }

  async #step(name: string, { rate, ms }: { rate: number; ms: number }): Promise<PhaseFigures> {
    const run = await this.#stage.load.run(`${name}-`, [{ name, rate, ms }]);
    return figuresOf(run.phases[0] as PhaseSent, this.#take(run));
  }

  #phases(peak: number) {
    const { usualMs, overloadMs } = this.#options;
    return [
      { name: "before", rate: peak / 2, ms: usualMs },
      { name: "overload", rate: peak * TIMES, ms: overloadMs },
      { name: "after", rate: peak / 2, ms: usualMs },
    ];
  }

  /** Ledger C of a run that has just ended. */
  #take({ withoutRetry }: OpenRun): readonly RowC[] {
    const rows = this.#stage.load.rows();
    for (const row of rows) this.#calls.push(row);
    if (withoutRetry > 0) {
      this.#problems.push(`${withoutRetry} refusals do not say when to come again`);
    }
    return rows;
  }

  #figures({ run, rows, onlookers, peak }: Measured) {
    const phases = run.phases as Phases;
    const [before, during, after] = phases.map((phase) => figuresOf(phase, rows)) as Three;
    const looks = (page: "health" | "status") =>
      looksIn(run, phases[1], onlookers, page).map(({ ms }) => ms);
    this.#judgeLooks(onlookers);
    const beganAt = run.startedAt + phases[1].from;
    const memory = Map.groupBy(onlookers.weighings, ({ at }) => at < beganAt ? "before" : "since");
    const most = (when: "before" | "since") =>
      Math.round(Math.max(...(memory.get(when) ?? []).map(({ rssMb }) => rssMb)));
    return {
      before,
      overload: during,
      after,
      times: during.sent / peak.offered,
      share: during.goodput / peak.goodput,
      managementMs: p99(looks("status")),
      healthMs: p99(looks("health")),
      recoveryMs: recoveryOf(phases[2], rows, before.answeredMs),
      memory: { before: most("before"), most: most("since") },
      calls: this.#calls.length,
    };
  }

  #judgeLooks({ looks }: Onlookers): void {
    for (const look of looks) {
      // Readiness may end where an overload lasts.
      const isFine = look.status === 200 || look.page === "ready" && look.status === 503;
      if (!isFine) this.#problems.push(`an onlooker got ${JSON.stringify(look)}`);
    }
  }

  /** Whoever is not served is told so; how many are is a matter of the machine. */
  #judgeCalls(): void {
    for (const call of this.#calls) {
      if (call.outcome === "answered" || isRefusal(call)) continue;
      this.#problems.push(`not as it should end: ${JSON.stringify(call)}`);
    }
  }

  async #judgeLedgers(): Promise<void> {
    const { gateway, backend } = this.#stage;
    if (UNHANDLED.test(gateway.stderr)) this.#problems.push(`stderr: ${gateway.stderr}`);
    await delivered(gateway);
    await gateway.stop();
    const a = rowsOf(exportedAudit(gateway, this.#options.runtime));
    const ledgers = { a, b: backend.ledger, c: this.#calls };
    this.#problems.push(...laws(ledgers, { deadlineMs: DEADLINE_MS }).slice(0, 20));
  }
}

interface Measured {
  readonly run: OpenRun;
  readonly rows: readonly RowC[];
  readonly onlookers: Onlookers;
  readonly peak: OverloadReport["peak"];
}

type Three = [PhaseFigures, PhaseFigures, PhaseFigures];

function isBehind(ramp: readonly PhaseFigures[]): boolean {
  const last = ramp.slice(-2);
  return last.length === 2 && last.every(({ served }) => served < SERVED);
}
