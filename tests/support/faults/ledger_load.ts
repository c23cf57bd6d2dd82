/** Clients that call at a steady rate and write ledger C: what they sent, and how each call ended for them. */
import { Connection } from "../../../bench/connection.ts";
import { headerValue, type HttpReply } from "../../../bench/reply_reader.ts";
import { Session } from "../../../bench/session.ts";
import type { RowC } from "./ledgers.ts";
import type { Act } from "./script.ts";

export interface LedgerLoadOptions {
  readonly url: URL;
  /** Exposed names, called in turn. */
  readonly tools: readonly string[];
  /** Calls per second, as far as the machine can. */
  readonly rate: number;
  /** Clients, each with a session and a name of its own; default 8. */
  readonly clients?: number;
  /** Calls under way at most; default 16. */
  readonly connections?: number;
  /** What the backend is told to do with a call, beside its nonce; nothing without it. */
  readonly act?: (number: number, tool: string) => Partial<Act> | undefined;
  /** Whether the client of this call goes away after so many milliseconds, without having the answer. */
  readonly leaves?: (number: number) => number | undefined;
  /** Beginning of the nonces, where several loads write into one ledger. */
  readonly prefix?: string;
}

const ANSWER_MS = 60_000;
/** What a client waits before it connects again after it could not. */
const RECONNECT_MS = 20;

type Sent = Pick<RowC, "nonce" | "who" | "tool" | "at">;
export type Judged = Omit<RowC, keyof Sent | "ms">;

interface Client {
  readonly who: string;
  readonly session: Session;
}

export class LedgerLoad {
  /** Calls that have ended. */
  readonly ends: RowC[] = [];
  readonly #options: LedgerLoadOptions;
  readonly #clients: readonly Client[];
  /** When it began, of `performance.now`: what `at` of its rows counts from. */
  readonly startedAt = performance.now();
  readonly #pending = new Map<string, Sent>();
  readonly #connections = new Set<Connection>();
  #workers: readonly Promise<void>[] = [];
  #ticket = 0;
  #stopped = false;

  private constructor(options: LedgerLoadOptions, clients: readonly Client[]) {
    this.#options = options;
    this.#clients = clients;
  }

  /** Opens its sessions and begins to call. */
  static async start(options: LedgerLoadOptions): Promise<LedgerLoad> {
    const clients: Client[] = [];
    for (let number = 0; number < (options.clients ?? 8); number++) {
      // A connection each: behind a balancer the sessions begin at different replicas.
      const connection = await Connection.open(options.url);
      const session = await Session.open(options.url, connection);
      connection.close();
      clients.push({ who: `${options.prefix ?? ""}client-${number}`, session });
    }
    const load = new LedgerLoad(options, clients);
    const { connections = 16 } = options;
    load.#workers = Array.from({ length: connections }, () => load.#work());
    return load;
  }

  /** Milliseconds since the load began. */
  get now(): number {
    return performance.now() - this.startedAt;
  }

  /** Calls per second so far. */
  get achieved(): number {
    return Math.round(this.ends.length / this.now * 1000);
  }

  /** Ledger C as it stands, with what is under way. */
  ledger(): RowC[] {
    const pending = [...this.#pending.values()].map((sent): RowC => ({
      ...sent,
      outcome: "pending",
      ms: this.now - sent.at,
      status: 0,
    }));
    return [...this.ends, ...pending];
  }

  /** Resolves when all calls have ended, or after a minute, with ledger C. */
  async stop(): Promise<RowC[]> {
    this.#stopped = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, ANSWER_MS));
    await Promise.race([Promise.all(this.#workers), late]);
    clearTimeout(timer);
    const ledger = this.ledger();
    for (const connection of this.#connections) connection.close();
    return ledger;
  }

  async #work(): Promise<void> {
    let connection: Connection | undefined;
    for (;;) {
      const number = this.#ticket++;
      await this.#due(number);
      if (this.#stopped) break;
      connection = await this.#call(number, connection);
    }
    connection?.close();
  }

  /** Waits for the next moment of the rate. */
  async #due(number: number): Promise<void> {
    const early = this.startedAt + number * 1000 / this.#options.rate - performance.now();
    if (early > 0) await pause(early);
  }

  /** The connection, when it is of more use. */
  async #call(number: number, kept: Connection | undefined): Promise<Connection | undefined> {
    const { url, tools, prefix = "", leaves } = this.#options;
    const { who, session } = this.#clients[number % this.#clients.length] as Client;
    const tool = tools[number % tools.length] as string;
    const sent = { nonce: `${prefix}${number}`, who, tool, at: this.now };
    const args = { nonce: sent.nonce, who, ...this.#options.act?.(number, tool) };
    const params = { name: tool, arguments: args };
    const message = { jsonrpc: "2.0", id: number, method: "tools/call", params };
    this.#pending.set(sent.nonce, sent);
    let connection = kept;
    let leaving: ReturnType<typeof setTimeout> | undefined;
    try {
      connection ??= await this.#connect(url);
      leaving = leave(connection, leaves?.(number));
      const reply = await connection.exchange(session.request(JSON.stringify(message)));
      this.#end(sent, judged(reply, number));
      if (!isLast(reply)) return connection;
    } catch (cause) {
      const outcome = String(cause).includes(LEFT) ? "left" : "broken";
      this.#end(sent, { outcome, status: 0, reason: String(cause) });
      if (outcome === "broken") await pause(RECONNECT_MS);
    } finally {
      clearTimeout(leaving);
    }
    if (connection !== undefined) this.#connections.delete(connection);
    connection?.close();
    return undefined;
  }

  async #connect(url: URL): Promise<Connection> {
    const connection = await Connection.open(url);
    this.#connections.add(connection);
    return connection;
  }

  #end(sent: Sent, end: Judged): void {
    this.#pending.delete(sent.nonce);
    this.ends.push({ ...sent, ...end, ms: this.now - sent.at });
  }
}

const LEFT = "left on purpose";

interface Reply {
  readonly id?: unknown;
  readonly error?: {
    readonly code: number;
    readonly message?: string;
    readonly data?: {
      readonly code?: string;
      readonly executed?: string;
      readonly backend?: string;
    };
  };
  readonly result?: {
    readonly isError?: boolean;
    readonly content?: readonly { readonly text?: string }[];
  };
}

/** How a call ended, by the reply to request `id`. */
export function judged({ status, body }: HttpReply, id: number): Judged {
  const reply = parsed(body);
  if (reply?.error !== undefined) return { outcome: "error", status, ...told(reply.error) };
  const result = reply?.result;
  if (status !== 200 || reply?.id !== id || result === undefined) {
    return { outcome: "error", status, reason: `status ${status}: ${body.slice(0, 300)}` };
  }
  const text = result.content?.[0]?.text ?? "";
  if (result.isError === true) return { outcome: "error", status, name: "isError", reason: text };
  return { outcome: "answered", status, answer: parsed(text) as unknown as Answer };
}

function told({ code, message = "", data = {} }: NonNullable<Reply["error"]>): Partial<Judged> {
  return {
    code,
    reason: message,
    ...(data.code === undefined ? {} : { name: data.code }),
    ...(data.executed === undefined ? {} : { executed: data.executed }),
    ...(data.backend === undefined ? {} : { backend: data.backend }),
  };
}

type Answer = NonNullable<RowC["answer"]>;

function parsed(body: string): Reply | undefined {
  try {
    const line = body.startsWith("{") ? body : body.slice(body.lastIndexOf("\ndata: ") + 7);
    return JSON.parse(line) as Reply;
  } catch {
    return undefined; // the caller shows the text it could not use
  }
}

function leave(connection: Connection, ms: number | undefined) {
  if (ms === undefined) return undefined;
  return setTimeout(() => connection.close(new Error(LEFT)), ms);
}

/** The server closes the connection after this answer. */
function isLast({ head }: HttpReply): boolean {
  return headerValue(head, "connection")?.toLowerCase() === "close";
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
