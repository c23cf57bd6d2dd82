/** How much longer a request takes through the gateway than directly: both in turn, in one run. */
import type { HttpClient } from "../../ports/http_client.ts";

const ROUNDS = 200;
/** Not counted: connections and compilers warm up. */
const WARM_UP = 20;
const REVISION = "2025-06-18";
const MAX_BYTES = 16 * 1024 * 1024;

/** Milliseconds. */
export interface Latency {
  readonly method: string;
  readonly direct: Quantiles;
  readonly through: Quantiles;
}

export interface Quantiles {
  readonly p50: number;
  readonly p95: number;
}

/** Where a session is opened, and what is sent with each request. */
export interface Endpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** @throws HttpFailure, or Error when an endpoint does not answer as one */
export async function measureLatency(
  http: HttpClient,
  { direct, through }: { readonly direct: Endpoint; readonly through: Endpoint },
  signal: AbortSignal,
): Promise<Latency> {
  const ends = [
    await Client.open(http, direct, signal),
    await Client.open(http, through, signal),
  ] as const;
  const resource = await ends[0].firstResource();
  // The gateway answers a list itself; reading a resource goes all the way.
  const [method, params] = resource === undefined
    ? ["tools/list", {}] as const
    : ["resources/read", { uri: resource }] as const;
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const [index, end] of ends.entries()) {
      const startedAt = performance.now();
      await end.request(method, params);
      if (round >= WARM_UP) times[index]?.push(performance.now() - startedAt);
    }
  }
  await Promise.all(ends.map((end) => end.close()));
  return { method, direct: quantiles(times[0]), through: quantiles(times[1]) };
}

function quantiles(times: readonly number[]): Quantiles {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return { p50: at(0.5), p95: at(0.95) };
}

/** A session of the legacy era, as small as it can be. */
class Client {
  readonly #http: HttpClient;
  readonly #endpoint: Endpoint;
  readonly #signal: AbortSignal;
  #session: Readonly<Record<string, string>> = {};
  #id = 0;

  private constructor(http: HttpClient, endpoint: Endpoint, signal: AbortSignal) {
    this.#http = http;
    this.#endpoint = endpoint;
    this.#signal = signal;
  }

  static async open(http: HttpClient, endpoint: Endpoint, signal: AbortSignal): Promise<Client> {
    const client = new Client(http, endpoint, signal);
    const clientInfo = { name: "mcp-sentinel doctor", version: "1" };
    await client.request("initialize", {
      protocolVersion: REVISION,
      capabilities: {},
      clientInfo,
    });
    await client.#send({ jsonrpc: "2.0", method: "notifications/initialized" });
    return client;
  }

  /** Undefined when it has none. */
  async firstResource(): Promise<string | undefined> {
    const text = await this.request("resources/list", {});
    return /"uri"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  }

  /** The text of the answer. */
  request(method: string, params: object): Promise<string> {
    return this.#send({ jsonrpc: "2.0", id: ++this.#id, method, params });
  }

  async close(): Promise<void> {
    const { url, headers } = this.#endpoint;
    const all = { ...headers, ...this.#session };
    const request = { method: "DELETE", url: new URL(url), headers: all } as const;
    (await this.#http.send(request)).discard();
  }

  async #send(message: object): Promise<string> {
    const { url, headers } = this.#endpoint;
    const response = await this.#http.send({
      method: "POST",
      url: new URL(url),
      headers: {
        ...headers,
        ...this.#session,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify(message),
      signal: this.#signal,
    });
    if (response.status >= 300) {
      response.discard();
      throw new Error(`the answer has status ${response.status}`);
    }
    const session = response.header("mcp-session-id");
    if (session !== undefined) {
      this.#session = { "mcp-session-id": session, "mcp-protocol-version": REVISION };
    }
    return await response.text(MAX_BYTES);
  }
}
