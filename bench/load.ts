import { setTimeout as delay } from "node:timers/promises";
import { Connection } from "./connection.ts";
import { BenchError } from "./errors.ts";
import { Session } from "./session.ts";
import { type Latency, Tally } from "./tally.ts";
import { cpuBetween, usageOf } from "./usage.ts";

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

interface Loop {
  readonly session: Session;
  readonly connection: Connection;
}

const TEXT_BYTES = 64;
const MAX_ERRORS = 100;
const LIST_TRIES = 20;
const LIST_PAUSE_MS = 250;
/** What a target may take for the calls that are under way when a slice ends. */
const GRACE_MS = 10_000;

/** As many MCP sessions as requests under way, kept open from slice to slice. */
export class Load {
  readonly #target: LoadTarget;
  readonly #sessions: readonly Session[];
  readonly #tool: string;
  #nextId = 1000;

  private constructor(target: LoadTarget, sessions: readonly Session[], tool: string) {
    this.#target = target;
    this.#sessions = sessions;
    this.#tool = JSON.stringify(tool);
  }

  /** Opens the sessions; rejects when the target does not speak MCP or has no tool `echo`. */
  static async open(target: LoadTarget, inFlight: number): Promise<Load> {
    const connection = await Connection.open(target.url);
    const watchdog = bound([connection], GRACE_MS);
    try {
      const first = await Session.open(target.url, connection);
      const tool = await findTool(first, connection);
      const sessions = [first];
      while (sessions.length < inFlight) {
        sessions.push(await Session.open(target.url, connection));
      }
      return new Load(target, sessions, tool);
    } finally {
      clearTimeout(watchdog);
      connection.close();
    }
  }

  /**
   * Calls `echo` in closed loops, one per session, on connections of its own: servers close those that
   * idle between slices. A wrong reply is counted; a broken connection is counted and ends its loop.
   */
  async run(durationMs: number): Promise<Slice> {
    const loops = await Promise.all(this.#sessions.map((session) => this.#connect(session)));
    const connections = loops.map(({ connection }) => connection);
    const watchdog = bound(connections, durationMs + GRACE_MS);
    try {
      const tally = new Tally();
      await Promise.all(loops.map((loop) => this.#call(loop, tally)));
      tally.restart();
      return await this.#measure(loops, tally, durationMs);
    } finally {
      clearTimeout(watchdog);
      for (const connection of connections) connection.close();
    }
  }

  async #connect(session: Session): Promise<Loop> {
    return { session, connection: await Connection.open(this.#target.url) };
  }

  async #measure(loops: readonly Loop[], tally: Tally, durationMs: number): Promise<Slice> {
    const before = usageOf(this.#target.pid);
    const start = performance.now();
    const goOn = () => performance.now() < start + durationMs && tally.errors < MAX_ERRORS;
    await Promise.all(loops.map(async (loop) => {
      while (goOn() && await this.#call(loop, tally));
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
  async #call({ session, connection }: Loop, tally: Tally): Promise<boolean> {
    const id = this.#nextId++;
    // The id in the text shows a result that belongs to another call.
    const text = String(id).padEnd(TEXT_BYTES, "x");
    const message = `{"jsonrpc":"2.0","id":${id},"method":"tools/call",` +
      `"params":{"name":${this.#tool},"arguments":{"text":"${text}"}}}`;
    try {
      const start = performance.now();
      const reply = await connection.exchange(session.request(message));
      tally.take(reply, id, text, performance.now() - start);
      return true;
    } catch (error) {
      tally.fail(error);
      return false;
    }
  }
}

/** A gateway may list nothing until its backend has answered; ask again for a while. */
async function findTool(session: Session, connection: Connection): Promise<string> {
  for (let tries = 0;; tries++) {
    try {
      return await session.toolName(connection, "echo");
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
