/** Kill switches set and cleared under load, and kept over `kill -9`: what reaches the backend. */
import assert from "node:assert/strict";
import type { Runtime } from "../support/runtime.ts";
import { until } from "../scenarios/until.ts";
import { ManagedGateway } from "./managed_gateway.ts";
import { NumberedBackend } from "./numbered_backend.ts";
import { type CallEnd, SteadyLoad } from "./steady_load.ts";

const TOOL_DISABLED = -31011;
const BACKEND_DISABLED = -31012;
const WAIT_MS = 60_000;

/** Paths below `/kill-switches` that cover the tool `victim__echo`, and what its calls are told. */
const SWITCHES = [
  { path: "tools/victim__echo", code: TOOL_DISABLED },
  { path: "backends/victim", code: BACKEND_DISABLED },
  { path: `tools/${encodeURIComponent("victim__*")}`, code: TOOL_DISABLED },
] as const;
type Switch = (typeof SWITCHES)[number];

export interface KillOptions {
  /** How often a switch is set and cleared. */
  readonly rounds: number;
  /** Calls per second. */
  readonly rate: number;
  readonly runtime?: Runtime;
}

export interface KillReport {
  readonly calls: number;
  /** Calls that were refused by a switch. */
  readonly refused: number;
  /** Calls that ended otherwise than they had to. */
  readonly wrong: readonly string[];
}

/** Calls that started between two moments have to be refused. */
interface Span {
  readonly set: Switch;
  /** Number of the last call sent before the switch was acknowledged. */
  readonly from: number;
  /** Number of a call that was answered before it was asked to be cleared. */
  to: number;
}

/** @throws AssertionError when a switch is not taken, or not kept */
export async function killUnderLoad(options: KillOptions): Promise<KillReport> {
  await using backend = await NumberedBackend.start();
  const gateway = await ManagedGateway.start(
    {
      backends: {
        victim: { url: backend.urlOf("victim") },
        bystander: { url: backend.urlOf("bystander") },
      },
    },
    options.runtime,
  );
  try {
    const proof = new KillProof(gateway, backend, options);
    await proof.flip();
    await proof.crash();
    return proof.report();
  } finally {
    await gateway.remove();
  }
}

class KillProof {
  readonly #gateway: ManagedGateway;
  readonly #backend: NumberedBackend;
  readonly #options: KillOptions;
  readonly #wrong: string[] = [];
  #calls = 0;
  #refused = 0;

  constructor(gateway: ManagedGateway, backend: NumberedBackend, options: KillOptions) {
    this.#gateway = gateway;
    this.#backend = backend;
    this.#options = options;
  }

  /** Sets and clears, again and again, while calls go on. */
  async flip(): Promise<void> {
    await this.#ready();
    const ends: CallEnd[] = [];
    const load = await this.#load(ends);
    const spans: Span[] = [];
    for (let round = 0; round < this.#options.rounds; round++) {
      const set = SWITCHES[round % SWITCHES.length] as Switch;
      await this.#set(set);
      const span = { set, from: load.last, to: 0 };
      await load.goesOn();
      span.to = load.last;
      spans.push(span);
      // A call may be overtaken by the request that clears the switch.
      await load.settled();
      await this.#clear(set);
      await load.goesOn();
    }
    await load.stop();
    this.#judge(ends, spans);
  }

  /** What is set stays set when the gateway is killed and started again. */
  async crash(): Promise<void> {
    const set = SWITCHES[0];
    await this.#set(set);
    await this.#gateway.kill();
    this.#backend.seen.clear();
    await this.#gateway.restart();
    const ends: CallEnd[] = [];
    const load = await this.#load(ends);
    await this.#ready();
    await load.goesOn();
    await load.stop();
    // Until the backend has answered its tool is not known, so that another refusal is right too.
    const victims = ends.filter(({ tool }) => tool === "victim__echo");
    const answered = victims.filter(({ error }) => error === undefined);
    const reached = victims.filter(({ n }) => this.#backend.seen.has(n));
    assert.deepEqual([...answered, ...reached], [], "the switch is kept over kill -9");
    assert.equal(victims.at(-1)?.code, set.code);
    this.#count(victims);
  }

  report(): KillReport {
    return { calls: this.#calls, refused: this.#refused, wrong: this.#wrong };
  }

  #judge(ends: readonly CallEnd[], spans: readonly Span[]): void {
    this.#count(ends);
    for (const call of ends) {
      const { n, tool } = call;
      const span = spans.find(({ from, to }) => n > from && n <= to);
      const isVictim = tool === "victim__echo";
      if (isVictim && span !== undefined) this.#mustBeRefused(call, span.set.code);
      else if (call.error !== undefined && !(isVictim && isKilled(call))) this.#note(call);
    }
  }

  #mustBeRefused(call: CallEnd, code: number): void {
    if (call.code === code && !this.#backend.seen.has(call.n)) return;
    const reached = this.#backend.seen.has(call.n) ? "reached the backend" : "did not reach it";
    this.#wrong.push(`expected ${code}, ${reached}: ${JSON.stringify(call)}`);
  }

  #note(call: CallEnd): void {
    this.#wrong.push(`failed without a switch: ${JSON.stringify(call)}`);
  }

  #count(ends: readonly CallEnd[]): void {
    this.#calls += ends.length;
    this.#refused += ends.filter(isKilled).length;
  }

  #load(ends: CallEnd[]): Promise<SteadyLoad> {
    return SteadyLoad.start({
      url: this.#gateway.url,
      tools: ["victim__echo", "bystander__echo"],
      rate: this.#options.rate,
      ended: (call) => void ends.push(call),
    });
  }

  async #ready(): Promise<void> {
    await until(async () => {
      const { body } = await this.#gateway.ask("/backends?filter=state:ready");
      assert.equal(body.items.length, 2);
    }, WAIT_MS);
  }

  async #set({ path }: Switch): Promise<void> {
    const body = { reason: "proof" };
    const answer = await this.#gateway.ask(`/kill-switches/${path}`, { method: "PUT", body });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(answer.body.outcome, "applied");
    assert.equal(answer.body.matches, 1);
  }

  async #clear({ path }: Switch): Promise<void> {
    const answer = await this.#gateway.ask(`/kill-switches/${path}`, { method: "DELETE" });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  }
}

function isKilled({ code }: CallEnd): boolean {
  return code === TOOL_DISABLED || code === BACKEND_DISABLED;
}
