import { setTimeout as delay } from "node:timers/promises";
import { Connection } from "./connection.ts";
import { BenchError } from "./errors.ts";
import { beatsOf, loopsFor } from "./pace.ts";
import { type Client, ModernClient, Session } from "./session.ts";
import type { Era } from "./targets.ts";
import { type Latency, Tally } from "./tally.ts";
import { cpuBetween, usageOf } from "./usage.ts";
import { answerOf, callOf, ECHO, type Work } from "./work.ts";

/** Where load goes: the endpoint, and the process whose CPU time and memory count. */
export interface LoadTarget {
  readonly url: URL;
  readonly pid: number;
}

/** One slice of load; `rate` per second, `cpuMicros` per request, `rssMb` at its end. */
export interface Slice extends Latency {
  readonly rate: number;
  readonly cpuMicros: number;
  readonly rssMb: number;
  readonly errors: number;
  readonly firstError: string | undefined;
}

/** What a load asks for. */
export interface LoadOptions {
  /** Calls under way at a time. */
  readonly inFlight: number;
  /** Default: `ECHO`. */
  readonly work?: Work;
  /** Lines of the head of every request, each with CRLF. Default: none. */
  readonly headers?: string;
  /** Era of the clients; default: legacy, with sessions. */
  readonly era?: Era;
}

interface Loop {
  readonly client: Client;
  readonly connection: Connection;
}

interface Tool {
  readonly work: Work;
  /** As the target exposes it. */
  readonly name: string;
}

const FIRST_ID = 1000;
const MAX_ERRORS = 100;
const LIST_TRIES = 20;
const LIST_PAUSE_MS = 250;
/** What a target may take for the calls that are under way when a slice ends. */
const GRACE_MS = 10_000;

/** An MCP client for each of its loops, kept from slice to slice. */
export class Load {
  readonly #target: LoadTarget;
  readonly #clients: readonly Client[];
  readonly #tool: Tool;
  #nextId = FIRST_ID;

  private constructor(target: LoadTarget, clients: readonly Client[], tool: Tool) {
    this.#target = target;
    this.#clients = clients;
    this.#tool = tool;
  }

  /** Opens the sessions; rejects when the target does not speak MCP or has no such tool. */
  static async open(target: LoadTarget, options: LoadOptions): Promise<Load> {
    const { inFlight, work = ECHO, headers = "", era = "legacy" } = options;
    const connection = await Connection.open(target.url);
    const watchdog = bound([connection], GRACE_MS);
    try {
      const another = () =>
        era === "legacy"
          ? Session.open(target.url, connection, headers)
          : new ModernClient(target.url, headers);
      const first = await another();
      const name = await findTool(first, connection, work.tool);
      const clients: Client[] = [first];
      while (clients.length < loopsFor(work, inFlight)) clients.push(await another());
      return new Load(target, clients, { work, name });
    } finally {
      clearTimeout(watchdog);
      connection.close();
    }
  }

  /** Calls made so far, in all slices and before them. */
  get calls(): number {
    return this.#nextId - FIRST_ID;
  }

  /**
   * Calls the tool in loops, one per client, on connections of its own: servers close those that idle
   * between slices. A wrong reply is counted; a broken connection is counted and ends its loop.
   * @param leadMs how long it is called before anything counts
   */
  async run(durationMs: number, leadMs = 0): Promise<Slice> {
    const loops = await Promise.all(this.#clients.map((client) => this.#connect(client)));
    const connections = loops.map(({ connection }) => connection);
    const watchdog = bound(connections, leadMs + durationMs + GRACE_MS);
    try {
      const tally = new Tally();
      await Promise.all(loops.map((loop) => this.#call(loop, tally)));
      if (leadMs > 0) await this.#measure(loops, tally, leadMs);
      tally.restart();
      return await this.#measure(loops, tally, durationMs);
    } finally {
      clearTimeout(watchdog);
      for (const connection of connections) connection.close();
    }
  }

  async #connect(client: Client): Promise<Loop> {
    return { client, connection: await Connection.open(this.#target.url) };
  }

  async #measure(loops: readonly Loop[], tally: Tally, durationMs: number): Promise<Slice> {
    const before = usageOf(this.#target.pid);
    const start = performance.now();
    const goOn = () => performance.now() < start + durationMs && tally.errors < MAX_ERRORS;
    await Promise.all(loops.map(async (loop, index) => {
      const beats = beatsOf(this.#tool.work, start, index / loops.length);
      do await beats?.next(); while (goOn() && await this.#call(loop, tally));
    }));
    const seconds = (performance.now() - start) / 1000;
    const after = usageOf(this.#target.pid);
    return {
      ...tally.latency(),
      rate: tally.requests / seconds,
      cpuMicros: cpuBetween(before, after) / 1000 / tally.requests,
      rssMb: after.rssKib / 1024,
      errors: tally.errors,
      firstError: tally.firstError,
    };
  }

  /** One call, timed and checked; false when its connection is of no more use. */
  async #call({ client, connection }: Loop, tally: Tally): Promise<boolean> {
    const id = this.#nextId++;
    const { work, name } = this.#tool;
    const request = client.request(callOf(work, name, id));
    try {
      const start = performance.now();
      const reply = await connection.exchange(request);
      tally.take(reply, id, answerOf(work, id), performance.now() - start);
      return true;
    } catch (error) {
      tally.fail(error);
      return false;
    }
  }
}

/** A gateway may list nothing until its backend has answered; ask again for a while. */
async function findTool(
  client: Client,
  connection: Connection,
  tool: string,
): Promise<string> {
  for (let tries = 0;; tries++) {
    try {
      return await client.toolName(connection, tool);
    } catch (error) {
      if (tries === LIST_TRIES) throw error;
      await delay(LIST_PAUSE_MS);
    }
  }
}

/** One timer for all: a timer per exchange would be a cost of the generator. */
function bound(connections: readonly Connection[], limitMs: number): NodeJS.Timeout {
  return setTimeout(() => {
    for (const connection of connections) {
      connection.close(new BenchError(`Cannot read reply: none within ${limitMs} ms`));
    }
  }, limitMs);
}
