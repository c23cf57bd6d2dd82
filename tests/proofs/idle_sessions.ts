/** What sessions cost that say nothing, half of them with an open stream, and what they do to the calls of others. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { median, percentile } from "../../bench/stats.ts";
import { stopAll } from "../scenarios/stop_all.ts";
import { until } from "../scenarios/until.ts";
import { Crowd } from "../support/faults/crowd.ts";
import { LedgerLoad } from "../support/faults/ledger_load.ts";
import type { RowC } from "../support/faults/ledgers.ts";
import { sampleOf } from "../support/faults/samples.ts";
import { ScriptedBackend } from "../support/faults/scripted_backend.ts";
import { RUNTIME, type Runtime } from "../support/runtime.ts";
import { ManagedGateway } from "./managed_gateway.ts";
import { type Held, Scales, WEIGHED } from "./scales.ts";

export interface IdleOptions {
  /** Half of them hold a stream. */
  readonly sessions: number;
  /** Calls per second meanwhile. */
  readonly rate: number;
  /** How long each of the three loads lasts: before, with and after the sessions. */
  readonly seconds: number;
  /** How often memory is read, four times a second, until it counts as settled; default 60, on Deno 140. */
  readonly samples?: number;
  readonly runtime?: Runtime;
}

export interface IdleReport {
  readonly sessions: number;
  /** Sessions and streams that were there at the end. */
  readonly kept: number;
  readonly streamsKept: number;
  /** Resident memory for each, after a collection; kB are 10^3 bytes. */
  readonly idleKb: number;
  readonly streamKb: number;
  /** Of that on the heap of the language. */
  readonly idleHeapKb: number;
  readonly streamHeapKb: number;
  readonly start: Weight;
  readonly full: Weight;
  readonly end: Weight;
  readonly calls: number;
  /**
   * Milliseconds, of the same load: without the sessions before and after them, and with them. The median over
   * windows of a thousand calls: what the machine does meanwhile falls out.
   */
  readonly p99Alone: number;
  readonly p99With: number;
  /** What does not hold whatever the machine: a session or a call that was lost. */
  readonly problems: readonly string[];
  /** Goals that were missed. */
  readonly missed: readonly string[];
}

export interface Weight extends Held {
  /** Resident memory as the gateway left it by itself, MB. */
  readonly untouchedMb: number;
  /** A while after a collection that was asked for. */
  readonly residentMb: number;
}

const DESCRIPTORS = 20_000;
const WAIT_MS = 60_000;
/** Longer than free memory is kept: V8 keeps pages for 8 to 10 s, a gateway on Deno what was allocated for 30 s. */
const SETTLE_SAMPLES = { node: 60, bun: 60, deno: 140 };
const SETTLE_MS = 250;
/** Times a tenth of the sessions comes and goes first: young generations and arenas have their size then. */
const WARM_UPS = 5;
/** Kilobytes (10^3 bytes) of performance.md 9.7, resident. */
const GOALS = {
  node: { idle: 4, stream: 30 },
  bun: { idle: 4, stream: 30 },
  deno: { idle: 4, stream: 80 },
};
const P99_GOAL = 1.2;
const WINDOW_CALLS = 1000;
/** After ÷ before: what is held (trust.md T67), and what is resident (performance.md 9.11). */
const HELD_GOAL = 1.1;
const RESIDENT_GOAL = 1.3;

/** @throws AssertionError when the gateway is not ready in time */
export async function idleSessions(options: IdleOptions): Promise<IdleReport> {
  await using backend = await ScriptedBackend.start();
  const gateway = await ManagedGateway.start(
    {
      audit: { store: "off" },
      sessions: { max: options.sessions * 2 },
      backends: { remote: { url: backend.urlOf("mcp").href } },
    },
    options.runtime,
    WEIGHED,
  );
  const crowd = Crowd.start(gateway.url);
  try {
    return await new Idle(gateway, crowd, options).run();
  } finally {
    await stopAll([() => crowd[Symbol.asyncDispose](), () => gateway.remove()]);
  }
}

class Idle {
  readonly #gateway: ManagedGateway;
  readonly #crowd: Crowd;
  readonly #options: IdleOptions;
  readonly #calls: RowC[] = [];
  readonly #scales: Scales;

  constructor(gateway: ManagedGateway, crowd: Crowd, options: IdleOptions) {
    this.#gateway = gateway;
    this.#scales = new Scales(gateway);
    this.#crowd = crowd;
    this.#options = options;
  }

  async run(): Promise<IdleReport> {
    for (const { pid } of [this.#gateway, this.#crowd]) raiseDescriptors(pid);
    await this.#ready();
    await this.#warmUp();
    const half = Math.floor(this.#options.sessions / 2);
    const before = await this.#load();
    const start = await this.#weigh();
    await this.#crowd.open(half, false);
    const idle = await this.#weigh();
    await this.#crowd.open(half, true);
    const full = await this.#weigh();
    const during = await this.#load();
    const { sessions: kept, streams: streamsKept } = await this.#crowd.count();
    await this.#crowd.close();
    const end = await this.#weigh();
    const after = await this.#load();
    return this.#judged({
      sessions: 2 * half,
      kept,
      streamsKept,
      idleKb: (idle.residentMb - start.residentMb) * 1000 / half,
      streamKb: (full.residentMb - idle.residentMb) * 1000 / half,
      idleHeapKb: (idle.heapMb - start.heapMb) * 1000 / half,
      streamHeapKb: (full.heapMb - idle.heapMb) * 1000 / half,
      start,
      full,
      end,
      calls: this.#calls.length,
      p99Alone: p99Of([...before, ...after]),
      p99With: p99Of(during),
    });
  }

  #judged(figures: Omit<IdleReport, "problems" | "missed">): IdleReport {
    const { sessions, kept, streamsKept, idleKb, streamKb, start, end } = figures;
    const problems: string[] = [];
    if (kept < sessions) problems.push(`${sessions - kept} sessions were lost`);
    if (streamsKept < sessions / 2) {
      problems.push(`${sessions / 2 - streamsKept} streams were lost`);
    }
    for (const call of this.#calls.filter(({ outcome }) => outcome !== "answered")) {
      problems.push(`call failed: ${JSON.stringify(call)}`);
    }
    const goal = GOALS[this.#options.runtime ?? RUNTIME];
    const ratio = figures.p99With / figures.p99Alone;
    const missed = [
      over("kB per idle session", idleKb, goal.idle),
      over("kB per session with a stream", streamKb, goal.stream),
      over("p99 ÷ p99 without them", ratio, P99_GOAL),
      over("held memory after ÷ before", end.heapMb / start.heapMb, HELD_GOAL),
      over("resident memory after ÷ before", end.residentMb / start.residentMb, RESIDENT_GOAL),
    ].flat();
    return { ...figures, problems: problems.slice(0, 20), missed };
  }

  async #ready(): Promise<void> {
    await until(async () => {
      const { body } = await this.#gateway.ask("/backends?filter=state:ready");
      assert.equal(body.items.length, 1);
    }, WAIT_MS);
  }

  /** What a process takes once, it must have before it is weighed. */
  async #warmUp(): Promise<void> {
    await this.#load();
    for (let round = 0; round < WARM_UPS; round++) {
      await this.#crowd.open(Math.ceil(this.#options.sessions / 10), true);
      await this.#crowd.close();
    }
  }

  /** The calls that ended. */
  async #load(): Promise<readonly RowC[]> {
    const { rate, seconds } = this.#options;
    const load = await LedgerLoad.start({ url: this.#gateway.url, tools: ["remote__call"], rate });
    await pause(seconds * 1000);
    const ends = await load.stop();
    this.#calls.push(...ends);
    return ends;
  }

  async #weigh(): Promise<Weight> {
    const untouchedMb = await this.#settled();
    const held = await this.#scales.weigh();
    // The runtime gives back what was collected only after a while.
    return { ...held, untouchedMb, residentMb: await this.#settled() };
  }

  /** Resident memory once it does not fall any more, MB. */
  async #settled(): Promise<number> {
    const { samples = SETTLE_SAMPLES[this.#options.runtime ?? RUNTIME] } = this.#options;
    let least = Number.POSITIVE_INFINITY;
    for (let sample = 0; sample < samples; sample++) {
      await pause(SETTLE_MS);
      least = Math.min(least, sampleOf(this.#gateway.pid, 0).rssMb);
    }
    return least;
  }
}

/** One connection is one of them. */
export function raiseDescriptors(pid: number): void {
  spawnSync("prlimit", ["--pid", String(pid), `--nofile=${DESCRIPTORS}:${DESCRIPTORS}`]);
}

/** Of the calls of a load: the median over windows of a thousand of them, milliseconds. */
export function p99Of(ends: readonly RowC[]): number {
  const windows: number[] = [];
  for (let from = 0; from < ends.length; from += WINDOW_CALLS) {
    const times = ends.slice(from, from + WINDOW_CALLS).map(({ ms }) => ms);
    windows.push(percentile(times.toSorted((a, b) => a - b), 0.99));
  }
  return median(windows);
}

/** A goal that was missed, in words; nothing when it was not. */
export function over(what: string, value: number, goal: number): string[] {
  return value > goal ? [`${what}: ${value.toFixed(2)}, goal ≤ ${goal}`] : [];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
