/** What sessions cost that say nothing, half of them with an open stream, and what they do to the calls of others. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { Connection } from "../../bench/connection.ts";
import { percentile } from "../../bench/stats.ts";
import { stopAll } from "../scenarios/stop_all.ts";
import { until } from "../scenarios/until.ts";
import { IdleSession } from "../support/faults/idle_session.ts";
import { LedgerLoad } from "../support/faults/ledger_load.ts";
import type { RowC } from "../support/faults/ledgers.ts";
import { sampleOf } from "../support/faults/samples.ts";
import { ScriptedBackend } from "../support/faults/scripted_backend.ts";
import { RUNTIME, type Runtime } from "../support/runtime.ts";
import { ManagedGateway } from "./managed_gateway.ts";

export interface IdleOptions {
  /** Half of them hold a stream. */
  readonly sessions: number;
  /** Calls per second meanwhile. */
  readonly rate: number;
  /** How long each of the three loads lasts: before, with and after the sessions. */
  readonly seconds: number;
  /** How often memory is read, four times a second, until it counts as settled; default 60. */
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
  /** Milliseconds, of the same load: without the sessions before and after them, and with them. */
  readonly p99Alone: number;
  readonly p99With: number;
  /** What does not hold whatever the machine: a session or a call that was lost. */
  readonly problems: readonly string[];
  /** Goals that were missed. */
  readonly missed: readonly string[];
}

/** MB are 10^6 bytes. */
export interface Weight {
  /** Resident memory as the gateway left it by itself. */
  readonly untouchedMb: number;
  /** A while after a collection that was asked for. */
  readonly residentMb: number;
  /** Of the language's heap, after the same collection: what something still holds. */
  readonly heapMb: number;
}

const DESCRIPTORS = 20_000;
const OPENERS = 16;
const WAIT_MS = 60_000;
/** Longer than V8 keeps pages for a process that does nothing any more: it gives them back after 8 to 10 s. */
const SETTLE_SAMPLES = 60;
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
    "tests/proofs/weighed_gateway.ts",
  );
  const idle = new Idle(gateway, options);
  try {
    return await idle.run();
  } finally {
    await stopAll([() => idle.abandon(), () => gateway.remove()]);
  }
}

class Idle {
  readonly #gateway: ManagedGateway;
  readonly #options: IdleOptions;
  readonly #sessions: IdleSession[] = [];
  readonly #calls: RowC[] = [];
  #weighings = 0;

  constructor(gateway: ManagedGateway, options: IdleOptions) {
    this.#gateway = gateway;
    this.#options = options;
  }

  async run(): Promise<IdleReport> {
    raiseDescriptors(this.#gateway.pid);
    await this.#ready();
    await this.#warmUp();
    const half = Math.floor(this.#options.sessions / 2);
    const before = await this.#load();
    const start = await this.#weigh();
    await this.#open(half, false);
    const idle = await this.#weigh();
    await this.#open(half, true);
    const full = await this.#weigh();
    const during = await this.#load();
    const streamsKept = this.#sessions.filter(({ isOpen }) => isOpen).length;
    const kept = await this.#count();
    await this.#closeAll();
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

  /** Goes away without a word, so that nothing keeps this process alive. */
  async abandon(): Promise<void> {
    for (const session of this.#sessions) await session.close();
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
      await this.#open(Math.ceil(this.#options.sessions / 10), true);
      await this.#closeAll();
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

  async #open(sessions: number, withStream: boolean): Promise<void> {
    const { url } = this.#gateway;
    let left = sessions;
    await Promise.all(Array.from({ length: OPENERS }, async () => {
      const connection = await Connection.open(url);
      while (left-- > 0) {
        this.#sessions.push(await IdleSession.open(url, connection, { withStream }));
      }
      connection.close();
    }));
  }

  /** Sessions that answer. */
  async #count(): Promise<number> {
    let kept = 0;
    await this.#each(async (session, connection) => {
      if (await session.ping(connection) === 200) kept++;
    });
    return kept;
  }

  async #closeAll(): Promise<void> {
    await this.#each((session, connection) => session.close(connection));
    this.#sessions.length = 0;
  }

  async #each(
    act: (session: IdleSession, connection: Connection) => Promise<void>,
  ): Promise<void> {
    const left = [...this.#sessions];
    await Promise.all(Array.from({ length: OPENERS }, async () => {
      const connection = await Connection.open(this.#gateway.url);
      for (let session = left.pop(); session !== undefined; session = left.pop()) {
        await act(session, connection);
      }
      connection.close();
    }));
  }

  async #weigh(): Promise<Weight> {
    const untouchedMb = await this.#settled();
    const gateway = this.#gateway;
    process.kill(gateway.pid, "SIGUSR2");
    const said = new RegExp(`weighed ${++this.#weighings}: (\\d+)`);
    const heapMb = await until(() => {
      const bytes = said.exec(gateway.stderr)?.[1];
      assert.ok(bytes !== undefined, "The gateway does not say what it holds");
      return Number(bytes) / 1e6;
    }, WAIT_MS);
    // The runtime gives back what was collected only after a while.
    return { untouchedMb, residentMb: await this.#settled(), heapMb };
  }

  /** Resident memory once it does not fall any more, MB. */
  async #settled(): Promise<number> {
    let least = Number.POSITIVE_INFINITY;
    for (let sample = 0; sample < (this.#options.samples ?? SETTLE_SAMPLES); sample++) {
      await pause(SETTLE_MS);
      least = Math.min(least, sampleOf(this.#gateway.pid, 0).rssMb);
    }
    return least;
  }
}

/** For the gateway, and for the client that this process is. */
function raiseDescriptors(gateway: number): void {
  for (const pid of [gateway, process.pid]) {
    spawnSync("prlimit", ["--pid", String(pid), `--nofile=${DESCRIPTORS}:${DESCRIPTORS}`]);
  }
}

function p99Of(ends: readonly RowC[]): number {
  return percentile(ends.map(({ ms }) => ms).toSorted((a, b) => a - b), 0.99);
}

function over(what: string, value: number, goal: number): string[] {
  return value > goal ? [`${what}: ${value.toFixed(2)}, goal ≤ ${goal}`] : [];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
