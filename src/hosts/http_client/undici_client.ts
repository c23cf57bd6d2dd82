/** The port `HttpClient` on undici's dispatch, the cheapest client on Node (performance.md 6). */
import type { Agent } from "undici";
import type { HttpClient, HttpRequest, HttpResponse } from "../../ports/http_client.ts";
import { UndiciExchange } from "./undici_exchange.ts";

export interface UndiciClientOptions {
  /** Connections per origin for requests that are `queued`; default 256. */
  readonly maxConnections?: number;
  /** Until a connection stands, TLS included; default 2000. */
  readonly connectTimeoutMs?: number;
}

const MAX_CONNECTIONS = 256;
const CONNECT_TIMEOUT_MS = 2000;

/** Loads undici on the first use, so that it costs nothing before the gateway listens. */
export async function createUndiciClient(options: UndiciClientOptions = {}): Promise<HttpClient> {
  const { Agent } = await import("./undici_agent.ts");
  const shared = {
    // HTTP/2 would send refused requests again on its own; "sent once" would not be ours to promise.
    allowH2: false,
    pipelining: 1,
    // Deadlines are the caller's: a stream may be silent for as long as it likes.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS },
  };
  return new UndiciClient(
    new Agent({ ...shared, connections: options.maxConnections ?? MAX_CONNECTIONS }),
    new Agent(shared),
  );
}

class UndiciClient implements HttpClient {
  readonly #queued: Agent;
  readonly #immediate: Agent;

  constructor(queued: Agent, immediate: Agent) {
    this.#queued = queued;
    this.#immediate = immediate;
  }

  send({ method, url, headers, body, queued, signal }: HttpRequest): Promise<HttpResponse> {
    const agent = queued === true ? this.#queued : this.#immediate;
    const options = {
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: headers["accept-encoding"] === undefined
        ? { ...headers, "accept-encoding": "identity" }
        : headers,
      body: body ?? null,
    };
    return new Promise((resolve, reject) => {
      const exchange = new UndiciExchange(resolve, reject, signal);
      if (!exchange.aborted) agent.dispatch(options, exchange);
    });
  }

  /** What is still under way fails. */
  async close(): Promise<void> {
    await Promise.all([this.#queued.destroy(), this.#immediate.destroy()]);
  }
}
