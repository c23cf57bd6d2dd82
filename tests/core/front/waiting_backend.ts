/** A legacy Streamable HTTP server with one tool, which is answered when the test says so. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { bodyOf, serveHttp } from "../../support/http_fixture.ts";
import type { Rpc } from "../../support/http_session.ts";

export interface WaitingBackend {
  readonly url: string;
  /** The next call that comes, or one that came and was not taken. */
  next(): Promise<WaitingCall>;
  /** The next notification that says a call is cancelled. */
  cancelled(): Promise<unknown>;
  close(): Promise<void>;
}

export interface WaitingCall {
  readonly id: unknown;
  /** Says how far it is, with the token the gateway gave. */
  progress(progress: number): void;
  /** Writes a log message on its stream. */
  log(level: string): void;
  answer(): void;
}

/** What comes and is taken, in either order. */
class Queue<Item> {
  readonly #items: Item[] = [];
  readonly #takers: ((item: Item) => void)[] = [];

  put(item: Item): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  }

  take(): Promise<Item> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve) => this.#takers.push(resolve));
  }
}

const LISTS: Readonly<Record<string, unknown>> = {
  "initialize": {
    protocolVersion: "2025-11-25",
    capabilities: { tools: {}, logging: {} },
    serverInfo: { name: "waiting", version: "1" },
  },
  "ping": {},
  "logging/setLevel": {},
  "tools/list": { tools: [{ name: "wait", inputSchema: { type: "object" } }] },
};

export async function startWaitingBackend(): Promise<WaitingBackend> {
  const calls = new Queue<WaitingCall>();
  const cancels = new Queue<unknown>();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A gateway that gives a call up may end its connection.
    request.on("error", () => {});
    if (request.method !== "POST") return void response.writeHead(405).end();
    const message = JSON.parse(await bodyOf(request)) as Rpc;
    const { id, method = "" } = message;
    if (method === "tools/call") return calls.put(callOf(message, response));
    if (method === "notifications/cancelled") cancels.put(message["params"].requestId);
    if (id === undefined) return void response.writeHead(202).end();
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: LISTS[method] }));
  }

  const server = await serveHttp(answer, "/mcp");
  return {
    url: server.url.href,
    next: () => calls.take(),
    cancelled: () => cancels.take(),
    close: server.close,
  };
}

function callOf({ id, params }: Rpc, response: ServerResponse): WaitingCall {
  response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
  const send = (message: unknown) => void response.write(`data: ${JSON.stringify(message)}\n\n`);
  const notify = (method: string, told: unknown) => send({ jsonrpc: "2.0", method, params: told });
  const progressToken = params?._meta?.progressToken as unknown;
  return {
    id,
    progress: (progress) => notify("notifications/progress", { progressToken, progress }),
    log: (level) => notify("notifications/message", { level, data: "said" }),
    answer: () => {
      send({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text: "waited" }] } });
      response.end();
    },
  };
}
