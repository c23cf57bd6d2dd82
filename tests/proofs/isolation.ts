/**
 * Twenty backends, of which one hangs, one refuses and one flaps: the others answer as before, and the gateway
 * tells the truth about each.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pairedRatio, percentile } from "../../bench/stats.ts";
import { stopAll } from "../scenarios/stop_all.ts";
import { until } from "../scenarios/until.ts";
import { childBackend, readLedger } from "../support/faults/child_backend.ts";
import { FaultProxy, PASS } from "../support/faults/fault_proxy.ts";
import { LedgerLoad } from "../support/faults/ledger_load.ts";
import { laws, type RowC, rowsOf } from "../support/faults/ledgers.ts";
import { ScriptedBackend } from "../support/faults/scripted_backend.ts";
import type { Runtime } from "../support/runtime.ts";
import { type CpuTime, cpuTimeOf, cpuTimeSince } from "./cpu_time.ts";
import { delivered, exportedAudit } from "./exported_audit.ts";
import { ManagedGateway, type Tables } from "./managed_gateway.ts";

export interface IsolationOptions {
  /** All of them; three over HTTP get a fault, every sixth of the others is a child. */
  readonly backends: number;
  /** Calls per second of the others; the faulty ones get a tenth of it. */
  readonly rate: number;
  /** How long each load lasts, all well and not. */
  readonly seconds: number;
  /** How often the faults come and go; noise of the machine falls out of the median. */
  readonly rounds: number;
  readonly runtime?: Runtime;
}

export interface IsolationReport {
  /** Of the healthy backends: calls, and for each round milliseconds. */
  readonly calls: number;
  readonly p99Well: readonly number[];
  readonly p99Faulty: readonly number[];
  /** Median over the rounds. */
  readonly ratio: number;
  /** As `ratio`, of the time the gateway itself ran for each call: the rest of a p99 is the machine's. */
  readonly cpuRatio: number;
  /** Of the time the gateway was ready to run, the share in which others ran. */
  readonly waited: { readonly well: readonly number[]; readonly faulty: readonly number[] };
  /** How calls of each faulty backend ended while it was faulty. */
  readonly ends: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Events of each faulty backend, by name. */
  readonly events: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly problems: readonly string[];
}

const FAULTY = ["hanging", "refusing", "flapping"] as const;
type Faulty = (typeof FAULTY)[number];

const TIMEOUT_MS = 2000;
const FLAP_MS = 3000;
const WAIT_MS = 90_000;
/** Codes that tell the truth about a backend that does not answer. */
const HONEST = ["CIRCUIT_OPEN", "BACKEND_LOST", "BACKEND_TIMEOUT", "OVERLOADED"];

/** @throws AssertionError when the backends are not ready in time, or not again */
export async function isolation(options: IsolationOptions): Promise<IsolationReport> {
  const folder = await mkdtemp(join(tmpdir(), "isolation-"));
  const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true })];
  try {
    const backend = await ScriptedBackend.start();
    ends.unshift(() => backend[Symbol.asyncDispose]());
    const proxies: Partial<Record<Faulty, FaultProxy>> = {};
    for (const name of FAULTY) {
      const proxy = await FaultProxy.before(backend.urlOf(name));
      ends.unshift(() => proxy[Symbol.asyncDispose]());
      proxies[name] = proxy;
    }
    const ledger = join(folder, "child.ledger");
    const tables = tablesOf(options.backends - FAULTY.length, backend, ledger);
    for (const name of FAULTY) tables[name] = { ...HEALTH, url: proxies[name]?.url.href };
    const gateway = await ManagedGateway.start({ backends: tables }, options.runtime);
    ends.unshift(() => gateway.remove());
    const stage = { gateway, backend, ledger, proxies: proxies as Record<Faulty, FaultProxy> };
    return await new Isolation(stage, options).run();
  } finally {
    await stopAll(ends);
  }
}

const HEALTH = {
  timeout: `${TIMEOUT_MS}ms`,
  health: { interval: "1s", timeout: "500ms" },
  restart: { base: "500ms", max: "2s" },
};

function tablesOf(count: number, backend: ScriptedBackend, ledger: string) {
  const tables: Record<string, Tables> = {};
  for (let number = 0; number < count; number++) {
    tables[`well-${number}`] = number % 6 === 5
      ? { ...HEALTH, ...childBackend({ ledger }) }
      : { ...HEALTH, url: backend.urlOf(`well-${number}`).href };
  }
  return tables;
}

interface Stage {
  readonly gateway: ManagedGateway;
  readonly backend: ScriptedBackend;
  readonly ledger: string;
  readonly proxies: Record<Faulty, FaultProxy>;
}

interface Loaded {
  readonly well: readonly RowC[];
  readonly faulty: readonly RowC[];
  readonly cpu: CpuTime;
}

class Isolation {
  readonly #stage: Stage;
  readonly #options: IsolationOptions;
  readonly #problems: string[] = [];

  constructor(stage: Stage, options: IsolationOptions) {
    this.#stage = stage;
    this.#options = options;
  }

  async run(): Promise<IsolationReport> {
    const before: Loaded[] = [];
    const during: Loaded[] = [];
    await this.#allReady();
    const between = [await this.#load("warm-", this.#options.seconds / 4)];
    for (let round = 0; round < this.#options.rounds; round++) {
      before.push(await this.#load(`well-${round}-`, this.#options.seconds));
      const stop = this.#breakThem();
      during.push(await this.#load(`faulty-${round}-`, this.#options.seconds));
      await this.#judgeTruth();
      stop();
      between.push(...await this.#allAnswer(round));
    }
    const events = await this.#events();
    this.#judgeEvents(events);
    before.forEach(({ well, faulty }) => this.#judgeWell([...well, ...faulty]));
    during.forEach((loaded) => this.#judgeFaulty(loaded));
    await this.#judgeLedgers([...before, ...during, ...between]);
    const [p99Well, p99Faulty] = [before.map(p99Of), during.map(p99Of)];
    return {
      calls: [...before, ...during].reduce((sum, { well }) => sum + well.length, 0),
      p99Well,
      p99Faulty,
      ratio: pairedRatio(p99Faulty, p99Well),
      cpuRatio: pairedRatio(during.map(cpuOf), before.map(cpuOf)),
      waited: { well: before.map(waitOf), faulty: during.map(waitOf) },
      ends: byBackend(during.flatMap(({ faulty }) => faulty)),
      events,
      problems: this.#problems.slice(0, 20),
    };
  }

  async #allReady(): Promise<void> {
    await until(async () => {
      const { body } = await this.#stage.gateway.ask("/backends?limit=100");
      const notYet = body.items.filter((item: Shown) => !isWell(item));
      assert.deepEqual(notYet, []);
      assert.equal(body.items.length, this.#options.backends);
    }, WAIT_MS);
  }

  /** A backend that is ready again may still have tools whose circuit is open: what was called until none is. */
  async #allAnswer(round: number): Promise<Loaded[]> {
    const loads: Loaded[] = [];
    await this.#allReady();
    await until(async () => {
      const load = await this.#load(`after-${round}.${loads.length}-`, 1);
      loads.push(load);
      assert.deepEqual(load.faulty.filter(({ outcome }) => outcome !== "answered"), []);
    }, WAIT_MS);
    return loads;
  }

  /** Side by side, so that calls of faulty backends hold no connection the others need. */
  async #load(prefix: string, seconds: number): Promise<Loaded> {
    const { gateway: { url, pid } } = this.#stage;
    const { backends, rate } = this.#options;
    const others = Array.from({ length: backends - FAULTY.length }, (_, n) => `well-${n}__call`);
    const well = await LedgerLoad.start({ url, tools: others, rate, prefix, connections: 32 });
    const faulty = await LedgerLoad.start({
      url,
      tools: FAULTY.map((name) => `${name}__call`),
      rate: rate / 10,
      prefix: `${prefix}faulty-`,
      connections: 64,
    });
    const before = cpuTimeOf(pid);
    await pause(seconds * 1000);
    const cpu = cpuTimeSince(before, pid);
    const [wellEnds, faultyEnds] = await Promise.all([well.stop(), faulty.stop()]);
    return { well: wellEnds, faulty: faultyEnds, cpu };
  }

  /** The returned function makes them well again. */
  #breakThem(): () => void {
    const { hanging, refusing, flapping } = this.#stage.proxies;
    hanging.set({ kind: "blackhole" });
    refusing.set({ kind: "refuse" });
    flapping.set({ kind: "reset" });
    const timer = setInterval(() => {
      flapping.set(flapping.fault.kind === "pass" ? { kind: "reset" } : PASS);
    }, FLAP_MS);
    return () => {
      clearInterval(timer);
      for (const proxy of [hanging, refusing, flapping]) {
        // What was swallowed is not given back late: a network that comes back has forgotten it.
        proxy.killAll();
        if (proxy.fault.kind !== "pass") proxy.set(PASS);
      }
    };
  }

  /** What an operator and a load balancer are told while two of them are down for good. */
  async #judgeTruth(): Promise<void> {
    const { gateway } = this.#stage;
    const ready = await fetch(new URL("/ready", gateway.url));
    if (ready.status !== 200) this.#problems.push(`/ready said ${ready.status}`);
    const { body } = await gateway.ask("/backends?limit=100");
    for (const item of body.items) {
      const { name } = item;
      if (name === "flapping" || isWell(item) === name.startsWith("well-")) continue;
      this.#problems.push(`backend ${name} is shown as ${JSON.stringify(item)}`);
    }
  }

  async #events(): Promise<IsolationReport["events"]> {
    const counts: Record<string, Record<string, number>> = {};
    const { body } = await this.#stage.gateway.ask("/events?limit=1000");
    for (const { event, fields } of body.items) {
      const of = counts[fields.backend] ??= {};
      if (FAULTY.includes(fields.backend)) of[event] = (of[event] ?? 0) + 1;
      else if (/circuit_opened|unresponsive/.test(event)) {
        this.#problems.push(`event of a healthy backend: ${JSON.stringify({ event, fields })}`);
      }
    }
    return Object.fromEntries(FAULTY.map((name) => [name, counts[name] ?? {}]));
  }

  #judgeEvents(events: IsolationReport["events"]): void {
    for (const name of FAULTY) {
      const seen = Object.keys(events[name] ?? {});
      if (seen.some((event) => /circuit_opened|unresponsive|backend\.state|lost/.test(event))) {
        continue;
      }
      this.#problems.push(`no event says that ${name} was down: ${seen.join()}`);
    }
  }

  #judgeWell(calls: readonly RowC[]): void {
    for (const call of calls) {
      if (call.outcome !== "answered") this.#problems.push(`call failed: ${JSON.stringify(call)}`);
    }
  }

  #judgeFaulty({ well, faulty }: Loaded): void {
    this.#judgeWell(well);
    for (const call of faulty) {
      const { outcome, name = "", backend = "", tool } = call;
      if (outcome === "answered" && !/hanging|refusing/.test(tool)) continue;
      if (HONEST.includes(name) && tool.startsWith(`${backend}__`)) continue;
      this.#problems.push(`not the truth: ${JSON.stringify(call)}`);
    }
  }

  async #judgeLedgers(loads: readonly Loaded[]): Promise<void> {
    const { gateway, backend, ledger } = this.#stage;
    await delivered(gateway);
    await gateway.stop();
    const c = loads.flatMap(({ well, faulty }) => [...well, ...faulty]);
    const b = [...backend.ledger, ...readLedger(ledger)];
    const a = rowsOf(exportedAudit(gateway, this.#options.runtime));
    this.#problems.push(...laws({ a, b, c }, { deadlineMs: TIMEOUT_MS }));
  }
}

interface Shown {
  readonly state: string;
  readonly circuit?: { readonly state: string };
}

function isWell({ state, circuit }: Shown): boolean {
  return state === "ready" && (circuit === undefined || circuit.state === "closed");
}

function byBackend(calls: readonly RowC[]): IsolationReport["ends"] {
  const counts: Record<string, Record<string, number>> = {};
  for (const { tool, outcome, name } of calls) {
    const of = counts[tool.split("__")[0] ?? ""] ??= {};
    of[name ?? outcome] = (of[name ?? outcome] ?? 0) + 1;
  }
  return counts;
}

/** Of the healthy backends. */
function p99Of({ well }: Loaded): number {
  return percentile(well.map(({ ms }) => ms).toSorted((a, b) => a - b), 0.99);
}

function cpuOf({ well, faulty, cpu }: Loaded): number {
  return cpu.ran / (well.length + faulty.length);
}

function waitOf({ cpu: { ran, waited } }: Loaded): number {
  return Math.round(100 * waited / (ran + waited)) / 100;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
