/** Calls at a steady rate, each with a number, over connections of its own; judges every answer. */
import { Connection } from "../../bench/connection.ts";
import { Session } from "../../bench/session.ts";

/** How a call ended. */
export interface CallEnd {
  readonly n: number;
  readonly tool: string;
  /** When it was sent, milliseconds since the load began. */
  readonly at: number;
  /** Milliseconds until it had ended. */
  readonly ms: number;
  /** JSON-RPC error code; 0 for an answer that is none at all. Missing: the right answer. */
  readonly code?: number;
  /** What was wrong. */
  readonly error?: string;
}

export interface SteadyLoadOptions {
  readonly url: URL;
  /** Exposed names, called in turn. */
  readonly tools: readonly string[];
  /** Calls per second, as far as the machine can. */
  readonly rate: number;
  readonly ended: (call: CallEnd) => void;
  /** Number of the call before the first one; 0 without it. */
  readonly after?: number;
}

const CONNECTIONS = 16;
const ANSWER_MS = 30_000;

export class SteadyLoad {
  readonly #options: SteadyLoadOptions;
  readonly #session: Session;
  readonly #start = performance.now();
  readonly #connections = new Set<Connection>();
  /** Numbers of the calls under way. */
  readonly #pending = new Set<number>();
  #workers: Promise<void>[] = [];
  #ticket = 0;
  #last = 0;
  #stopped = false;

  private constructor(options: SteadyLoadOptions, session: Session) {
    this.#options = options;
    this.#session = session;
    this.#last = options.after ?? 0;
  }

  /** Opens a session and begins to call. */
  static async start(options: SteadyLoadOptions): Promise<SteadyLoad> {
    const connection = await Connection.open(options.url);
    const session = await Session.open(options.url, connection);
    connection.close();
    const load = new SteadyLoad(options, session);
    load.#workers = Array.from({ length: CONNECTIONS }, () => load.#work());
    return load;
  }

  /** Number of the call that was sent last; whatever is sent from now on has a higher one. */
  get last(): number {
    return this.#last;
  }

  /** Calls per second so far. */
  get achieved(): number {
    const sent = this.#last - (this.#options.after ?? 0);
    return Math.round(sent / (performance.now() - this.#start) * 1000);
  }

  /** Resolves when some more calls were sent. */
  async goesOn(): Promise<void> {
    const wanted = this.#last + CONNECTIONS;
    while (this.#last < wanted && !this.#stopped) await pause(1);
  }

  /** Resolves when all calls sent so far are answered. */
  async settled(): Promise<void> {
    const before = [...this.#pending];
    while (before.some((n) => this.#pending.has(n))) await pause(1);
  }

  /** Resolves when every call is answered; one that is not within half a minute has failed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const late = setTimeout(() => {
      for (const connection of this.#connections) connection.close(new Error("no answer in 30 s"));
    }, ANSWER_MS);
    await Promise.all(this.#workers);
    clearTimeout(late);
  }

  async #work(): Promise<void> {
    let connection: Connection | undefined;
    while (!this.#stopped) {
      await this.#due();
      connection ??= await this.#connect();
      if (connection !== undefined) connection = await this.#call(connection);
    }
    connection?.close();
  }

  /** Waits for the next moment of the rate. */
  async #due(): Promise<void> {
    const due = this.#start + this.#ticket++ * 1000 / this.#options.rate;
    const early = due - performance.now();
    if (early > 0) await pause(early);
  }

  async #connect(): Promise<Connection | undefined> {
    try {
      const connection = await Connection.open(this.#options.url);
      this.#connections.add(connection);
      return connection;
    } catch (cause) {
      this.#end({ n: ++this.#last, tool: "", code: 0, error: `no connection: ${String(cause)}` });
      return undefined;
    }
  }

  /** Undefined when the connection is of no more use. */
  async #call(connection: Connection): Promise<Connection | undefined> {
    const n = ++this.#last;
    const { tools } = this.#options;
    const tool = tools[n % tools.length] as string;
    const params = { name: tool, arguments: { n } };
    const message = JSON.stringify({ jsonrpc: "2.0", id: n, method: "tools/call", params });
    const at = performance.now();
    this.#pending.add(n);
    try {
      const reply = await connection.exchange(this.#session.request(message));
      this.#end({ n, tool, ...judged(reply.status, reply.body, n) }, at);
      return connection;
    } catch (cause) {
      this.#end({ n, tool, code: 0, error: String(cause) }, at);
      this.#connections.delete(connection);
      connection.close();
      return undefined;
    }
  }

  #end(call: Omit<CallEnd, "at" | "ms">, at = performance.now()): void {
    this.#pending.delete(call.n);
    const ms = performance.now() - at;
    this.#options.ended({ ...call, at: Math.round(at - this.#start), ms });
  }
}

interface Reply {
  readonly id?: unknown;
  readonly error?: { readonly code: number };
  readonly result?: { readonly content?: readonly { readonly text?: string }[] };
}

/** Right is: status 200, the call's id, the call's number in the text, no error. */
function judged(status: number, body: string, n: number): { code?: number; error?: string } {
  const reply = parsed(body);
  if (reply?.error !== undefined) return { code: reply.error.code, error: body };
  const text = reply?.result?.content?.[0]?.text ?? "";
  if (status === 200 && reply?.id === n && text.replace(/\D/g, "") === String(n)) return {};
  return { code: 0, error: `status ${status}: ${body.slice(0, 500)}` };
}

function parsed(body: string): Reply | undefined {
  try {
    const line = body.startsWith("{") ? body : body.slice(body.lastIndexOf("\ndata: ") + 7);
    return JSON.parse(line) as Reply;
  } catch {
    return undefined; // the caller shows the text it could not use
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
