/** A backend that fails now and then, then not at all answers: what is sent to it, and how soon its callers know. */
import assert from "node:assert/strict";
import { percentile } from "../../../bench/stats.ts";
import { stopAll } from "../../scenarios/stop_all.ts";
import { until } from "../../scenarios/until.ts";
import { FaultProxy, PASS } from "../../support/faults/fault_proxy.ts";
import { LedgerLoad, type LedgerLoadOptions } from "../../support/faults/ledger_load.ts";
import { laws, type RowC, rowsOf } from "../../support/faults/ledgers.ts";
import { ScriptedBackend } from "../../support/faults/scripted_backend.ts";
import type { Runtime } from "../../support/runtime.ts";
import { delivered, exportedAudit } from "../exported_audit.ts";
import { ManagedGateway } from "../managed_gateway.ts";

export interface FailFastOptions {
  /** Calls per second. */
  readonly rate: number;
  /** How long it fails now and then; at most 30, of which the share of retries is taken. */
  readonly shakySeconds: number;
  /** How long it answers nothing. */
  readonly silentSeconds: number;
  readonly runtime?: Runtime;
}

export interface FailFastReport {
  readonly calls: number;
  /** Sent again ÷ sent, of a tool that may be called twice and of which every fifth call fails. */
  readonly retried: number;
  /** Refusals of the open circuit, and their 99th percentile in milliseconds. */
  readonly refusals: number;
  readonly refusedMs: number;
  /** Calls that were sent to the silent backend once its circuit was open: most at a time, and all. */
  readonly probes: { readonly atOnce: number; readonly all: number };
  readonly problems: readonly string[];
  readonly missed: readonly string[];
}

/** trust.md P14. */
const GOALS = { retried: 0.1, refusedMs: 5 };
const TIMEOUT_MS = 1000;
const FAILS_EVERY = 5;
const CONNECTIONS = 256;
const WAIT_MS = 60_000;

/** @throws AssertionError when the backend is not ready in time, or not again */
export async function failFast(options: FailFastOptions): Promise<FailFastReport> {
  const ends: (() => Promise<unknown>)[] = [];
  try {
    const backend = await ScriptedBackend.start();
    ends.unshift(() => backend[Symbol.asyncDispose]());
    const proxy = await FaultProxy.before(backend.urlOf("remote"));
    ends.unshift(() => proxy[Symbol.asyncDispose]());
    const remote = {
      url: proxy.url.href,
      timeout: `${TIMEOUT_MS}ms`,
      retry: { tools: ["read"], base: "20ms" },
    };
    const gateway = await ManagedGateway.start({ backends: { remote } }, options.runtime);
    ends.unshift(() => gateway.remove());
    return await new FailFast({ gateway, backend, proxy }, options).run();
  } finally {
    await stopAll(ends);
  }
}

interface Stage {
  readonly gateway: ManagedGateway;
  readonly backend: ScriptedBackend;
  readonly proxy: FaultProxy;
}

class FailFast {
  readonly #stage: Stage;
  readonly #options: FailFastOptions;
  readonly #problems: string[] = [];

  constructor(stage: Stage, options: FailFastOptions) {
    this.#stage = stage;
    this.#options = options;
  }

  async run(): Promise<FailFastReport> {
    const { gateway, backend, proxy } = this.#stage;
    await this.#isWell();
    const shaky = await this.#shaky();
    const retried = 1 - shaky.length / backend.ledger.length;
    proxy.set({ kind: "blackhole" });
    proxy.killAll();
    const { rows: silent, probes } = await this.#silent();
    proxy.killAll();
    proxy.set(PASS);
    await this.#isWell();
    const refusals = silent.filter(({ name }) => name === "CIRCUIT_OPEN").map(({ ms }) => ms);
    const refusedMs = percentile(refusals.toSorted((a, b) => a - b), 0.99);
    this.#judge(silent, probes.atOnce, retried);
    await delivered(gateway);
    await gateway.stop();
    const a = rowsOf(exportedAudit(gateway, this.#options.runtime));
    const ledgers = { a, b: backend.ledger, c: [...shaky, ...silent] };
    // With its pauses a call that is tried three times takes longer than one.
    const breaches = laws(ledgers, { deadlineMs: 3 * TIMEOUT_MS, retryable: ["read"] });
    return {
      calls: shaky.length + silent.length,
      retried,
      refusals: refusals.length,
      refusedMs,
      probes,
      problems: [...this.#problems, ...breaches].slice(0, 20),
      missed: refusedMs > GOALS.refusedMs
        ? [`refusals, p99 ms: ${refusedMs.toFixed(1)}, goal ≤ ${GOALS.refusedMs}`]
        : [],
    };
  }

  async #isWell(): Promise<void> {
    await until(async () => {
      const { body } = await this.#stage.gateway.ask("/backends?filter=state:ready");
      assert.equal(body.items[0]?.circuit.state, "closed");
    }, WAIT_MS);
  }

  async #shaky(): Promise<readonly RowC[]> {
    const load = await this.#load({
      tools: ["remote__read"],
      prefix: "shaky-",
      act: (number) => number % FAILS_EVERY === 0 ? { do: "die" } : undefined,
    });
    await pause(this.#options.shakySeconds * 1000);
    return await load.stop();
  }

  async #silent() {
    const load = await this.#load({ tools: ["remote__call"], prefix: "silent-" });
    await until(() => {
      assert.ok(load.ends.some(({ name }) => name === "CIRCUIT_OPEN"), "the circuit is closed");
    }, WAIT_MS);
    const openAt = load.now;
    await pause(this.#options.silentSeconds * 1000);
    const rows = await load.stop();
    const sent = rows.filter(({ at, name }) => at > openAt && name !== "CIRCUIT_OPEN");
    return { rows, probes: { atOnce: mostAtOnce(sent), all: sent.length } };
  }

  #load(options: Pick<LedgerLoadOptions, "tools" | "prefix" | "act">): Promise<LedgerLoad> {
    const { gateway: { url } } = this.#stage;
    const { rate } = this.#options;
    return LedgerLoad.start({ ...options, url, rate, connections: CONNECTIONS });
  }

  #judge(silent: readonly RowC[], atOnce: number, retried: number): void {
    if (retried > GOALS.retried) this.#problems.push(`${retried} of what was sent was sent again`);
    if (atOnce > 1) this.#problems.push(`${atOnce} probes at a time`);
    for (const call of silent) {
      if (call.name === "CIRCUIT_OPEN") continue;
      if (call.name === "BACKEND_TIMEOUT" || call.name === "BACKEND_LOST") continue;
      this.#problems.push(`not the truth: ${JSON.stringify(call)}`);
    }
  }
}

function mostAtOnce(calls: readonly RowC[]): number {
  const underWay = calls.map(({ at }) =>
    calls.filter((other) => other.at <= at && at < other.at + other.ms).length
  );
  return Math.max(0, ...underWay);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
