/** A raw Streamable HTTP client over the core's `fetch`: shows exactly what is on the wire. */
import { createParser } from "eventsource-parser";
import type { FetchHandler } from "../../src/core/mod.ts";

export const BASE = "http://127.0.0.1:8808";

export interface Rpc {
  readonly id?: unknown;
  readonly method?: string;
  // deno-lint-ignore no-explicit-any -- tests look into answers of any shape
  readonly [key: string]: any;
}

export const HEADERS: Readonly<Record<string, string>> = {
  "host": "127.0.0.1:8808",
  "content-type": "application/json",
  "accept": "application/json, text/event-stream",
};

export function post(
  fetch: FetchHandler,
  body: unknown,
  headers: Record<string, string> = {},
  path = "/mcp",
): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(
    new Request(BASE + path, { method: "POST", headers: { ...HEADERS, ...headers }, body: text }),
  );
}

export interface StreamEvent {
  readonly id: string | undefined;
  readonly data: string;
}

/** Events of a response as they come; ends with the stream. */
export async function* eventsOf(response: Response): AsyncGenerator<StreamEvent> {
  const events: StreamEvent[] = [];
  const parser = createParser({ onEvent: ({ id, data }) => void events.push({ id, data }) });
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    yield* events.splice(0);
  }
}

/** All messages of an answer, body or stream; the last one is the response. */
export async function messagesOf(response: Response): Promise<Rpc[]> {
  if (response.headers.get("content-type") !== "text/event-stream") {
    const text = await response.text();
    const parsed = JSON.parse(text) as Rpc | Rpc[];
    return Array.isArray(parsed) ? parsed : [parsed];
  }
  const messages: Rpc[] = [];
  for await (const { data } of eventsOf(response)) {
    if (data !== "") messages.push(JSON.parse(data) as Rpc);
  }
  return messages;
}

export interface SessionOptions {
  readonly revision?: string;
  readonly capabilities?: Record<string, unknown>;
  readonly path?: string;
  /** Sent with each request, such as a token. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An initialized session. */
export class HttpSession {
  readonly fetch: FetchHandler;
  readonly headers: Record<string, string>;
  readonly initialized: Rpc;
  readonly #path: string;
  #lastId = 0;

  private constructor(
    fetch: FetchHandler,
    headers: Record<string, string>,
    initialized: Rpc,
    path: string,
  ) {
    this.fetch = fetch;
    this.headers = headers;
    this.initialized = initialized;
    this.#path = path;
  }

  static async open(fetch: FetchHandler, options: SessionOptions = {}): Promise<HttpSession> {
    const { revision = "2025-11-25", capabilities = {}, path = "/mcp", headers: own = {} } =
      options;
    const params = {
      protocolVersion: revision,
      capabilities,
      clientInfo: { name: "test", version: "1" },
    };
    const response = await post(
      fetch,
      { jsonrpc: "2.0", id: 0, method: "initialize", params },
      own,
      path,
    );
    const [initialized] = await messagesOf(response);
    const id = response.headers.get("mcp-session-id");
    if (response.status !== 200 || id === null || initialized === undefined) {
      throw new Error(`Cannot initialize: ${response.status} ${JSON.stringify(initialized)}`);
    }
    const headers = {
      ...own,
      "mcp-session-id": id,
      "mcp-protocol-version": initialized["result"].protocolVersion as string,
    };
    const session = new HttpSession(fetch, headers, initialized, path);
    await session.notify("notifications/initialized");
    return session;
  }

  post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return post(this.fetch, body, { ...this.headers, ...headers }, this.#path);
  }

  notify(method: string, params?: unknown): Promise<Response> {
    return this.post({ jsonrpc: "2.0", method, params });
  }

  /** Posts a request and gives the response of the server as it is. */
  send(method: string, params?: unknown, id: unknown = ++this.#lastId): Promise<Response> {
    return this.post({ jsonrpc: "2.0", id, method, params });
  }

  /** The answer to a request, without what came before it. */
  async request(method: string, params?: unknown): Promise<Rpc> {
    const messages = await messagesOf(await this.send(method, params));
    return messages.at(-1) as Rpc;
  }

  call(name: string, args: unknown = {}): Promise<Rpc> {
    return this.request("tools/call", { name, arguments: args });
  }

  get(headers: Record<string, string> = {}): Promise<Response> {
    return this.fetch(
      new Request(BASE + this.#path, {
        headers: {
          "host": "127.0.0.1:8808",
          "accept": "text/event-stream",
          ...this.headers,
          ...headers,
        },
      }),
    );
  }

  delete(): Promise<Response> {
    return this.fetch(
      new Request(BASE + this.#path, {
        method: "DELETE",
        headers: { ...HEADERS, ...this.headers },
      }),
    );
  }
}

/** The requests of a session go over the network, to a gateway that runs. */
export function overHttp(url: string): FetchHandler {
  return (request) => fetch(rebased(request, url));
}

function rebased(request: Request, url: string): Request {
  const headers = new Headers(request.headers);
  headers.set("host", new URL(url).host);
  return new Request(url, {
    method: request.method,
    headers,
    ...(request.body === null ? {} : { body: request.body, duplex: "half" }),
  } as RequestInit);
}
