/** Calls that are sent when they are due, whatever became of those before them. */
import { appendFileSync } from "node:fs";
import process from "node:process";
import { Connection } from "../../../bench/connection.ts";
import { headerValue, type HttpReply } from "../../../bench/reply_reader.ts";
import { Session } from "../../../bench/session.ts";
import { percentile } from "../../../bench/stats.ts";
import { type Judged, judged } from "../../support/faults/ledger_load.ts";
import type { RowC } from "../../support/faults/ledgers.ts";
import { type CpuTime, cpuTimeOf, cpuTimeSince } from "../cpu_time.ts";
import type { OpenLoadOptions, OpenRun, Phase, PhaseSent, RunOrder } from "./open_load.ts";

/** As often as calls that are due are sent. */
const TICK_MS = 1;
/** Longer than a call may take; what has not ended then is pending. */
const ANSWER_MS = 70_000;
const OPENED_AT_ONCE = 64;

interface Client {
  readonly who: string;
  readonly session: Session;
}

export class Arrivals {
  readonly #options: OpenLoadOptions;
  readonly #clients: readonly Client[];

  private constructor(options: OpenLoadOptions, clients: readonly Client[]) {
    this.#options = options;
    this.#clients = clients;
  }

  /** Opens the sessions. */
  static async open(options: OpenLoadOptions): Promise<Arrivals> {
    const connection = await Connection.open(options.url);
    const clients: Client[] = [];
    while (clients.length < options.clients) {
      const session = await Session.open(options.url, connection);
      clients.push({ who: `client-${clients.length}`, session });
    }
    connection.close();
    return new Arrivals(options, clients);
  }

  /** Over connections of its own: servers close those that idle between runs. */
  async run(order: RunOrder): Promise<OpenRun> {
    const run = new Run(this.#options, this.#clients, order.prefix);
    await run.connect();
    const startedAt = Date.now();
    const phases: PhaseSent[] = [];
    for (const phase of order.phases) phases.push(await run.phase(phase));
    const rows = await run.end();
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`);
    appendFileSync(this.#options.ledger, lines.join(""));
    return { startedAt, phases, withoutRetry: run.withoutRetry };
  }
}

type Sent = Pick<RowC, "nonce" | "who" | "tool" | "at">;

class Run {
  /** Refusals that do not say when to come again. */
  withoutRetry = 0;
  readonly #options: OpenLoadOptions;
  readonly #clients: readonly Client[];
  readonly #prefix: string;
  readonly #free: Connection[] = [];
  readonly #pending = new Map<number, Sent>();
  readonly #ends: RowC[] = [];
  #start = 0;
  #number = 0;
  #isOver = false;
  #idle: (() => void) | undefined;

  constructor(options: OpenLoadOptions, clients: readonly Client[], prefix: string) {
    this.#options = options;
    this.#clients = clients;
    this.#prefix = prefix;
  }

  async connect(): Promise<void> {
    let left = this.#options.connections;
    await Promise.all(Array.from({ length: OPENED_AT_ONCE }, async () => {
      while (left-- > 0) this.#free.push(await Connection.open(this.#options.url));
    }));
    this.#start = performance.now();
  }

  /** Resolves at its end; its calls may still be under way. */
  async phase({ name, rate, ms }: Phase): Promise<PhaseSent> {
    const from = performance.now() - this.#start;
    const cpu = this.#cpuTimes();
    const late: number[] = [];
    let [due, unsent] = [0, 0];
    await everyTick((now) => {
      const since = now - this.#start - from;
      const until = Math.floor(Math.min(since, ms) * rate / 1000);
      for (; due < until; due++) {
        late.push(since - due * 1000 / rate);
        if (!this.#send()) unsent++;
      }
      return since < ms;
    });
    const to = performance.now() - this.#start;
    const lateMs = percentile(Float64Array.from(late).sort(), 0.99);
    return { name, from, to, due, unsent, lateMs, cpu: cpu() };
  }

  /** Waits for what is under way. */
  async end(): Promise<RowC[]> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      timer = setTimeout(resolve, ANSWER_MS);
      if (this.#pending.size === 0) resolve();
    });
    clearTimeout(timer);
    this.#isOver = true;
    const pending = [...this.#pending.values()].map((sent): RowC => ({
      ...sent,
      outcome: "pending",
      ms: performance.now() - this.#start - sent.at,
      status: 0,
    }));
    for (const connection of this.#free) connection.close();
    return [...this.#ends, ...pending];
  }

  /** False when there is no free connection. */
  #send(): boolean {
    // In turn: one that nothing is sent over for long is closed by the gateway.
    const connection = this.#free.shift();
    if (connection === undefined) return false;
    const number = this.#number++;
    const { who, session } = this.#clients[number % this.#clients.length] as Client;
    const { tool } = this.#options;
    const sent = { nonce: `${this.#prefix}${number}`, who, tool, at: this.#now };
    const params = `{"name":"${tool}","arguments":{"nonce":"${sent.nonce}","who":"${who}"}}`;
    const message = `{"jsonrpc":"2.0","id":${number},"method":"tools/call","params":${params}}`;
    this.#pending.set(number, sent);
    connection.exchange(session.request(message)).then(
      (reply) => this.#answered(number, reply, connection),
      (cause: unknown) => this.#broken(number, cause),
    );
    return true;
  }

  #answered(number: number, reply: HttpReply, connection: Connection): void {
    this.#end(number, judged(reply, number));
    if (reply.status !== 200 && headerValue(reply.head, "retry-after") === undefined) {
      this.withoutRetry++;
    }
    if (headerValue(reply.head, "connection")?.toLowerCase() !== "close") {
      this.#free.push(connection);
      return;
    }
    connection.close();
    void this.#another();
  }

  #broken(number: number, cause: unknown): void {
    this.#end(number, { outcome: "broken", status: 0, reason: String(cause) });
    void this.#another();
  }

  #end(number: number, end: Judged): void {
    const sent = this.#pending.get(number) as Sent;
    this.#pending.delete(number);
    this.#ends.push({ ...sent, ...end, ms: this.#now - sent.at });
    if (this.#pending.size === 0) this.#idle?.();
  }

  /** In the place of one that has ended; without it there is one less. */
  async #another(): Promise<void> {
    const connection = await Connection.open(this.#options.url).catch(() => undefined);
    if (this.#isOver) connection?.close();
    else if (connection !== undefined) this.#free.push(connection);
  }

  get #now(): number {
    return performance.now() - this.#start;
  }

  /** The returned function tells what was used since. */
  #cpuTimes(): () => Record<string, CpuTime> {
    const pids = Object.entries({ ...this.#options.watched, load: process.pid });
    const before = pids.map(([name, pid]) => ({ name, pid, began: cpuTimeOf(pid) }));
    return () =>
      Object.fromEntries(before.map(({ name, pid, began }) => [name, cpuTimeSince(began, pid)]));
  }
}

/** Calls `act` until it gives false. */
function everyTick(act: (now: number) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (act(performance.now())) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
}
