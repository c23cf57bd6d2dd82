/** One client of each front, with the same few methods, so that a test can ask all of them the same. */
import { createParser } from "eventsource-parser";
import { SignJWT } from "jose";
import type { Core } from "../../../src/core/mod.ts";
import type { ConfigInput } from "../../support/core.ts";
import { BASE, HEADERS, messagesOf, post, type Rpc } from "../../support/http_session.ts";
import { modern, modernBody } from "../../support/modern_http.ts";
import { PipeClient } from "../../support/pipe_client.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const ISSUER = "https://issuer.test";
const AUDIENCE = "https://gateway.test";

/** `[auth]` that takes the tokens of `tokenFor`. */
export const SIGN_IN: NonNullable<ConfigInput["auth"]> = {
  mode: "jwt",
  jwt: [{ issuer: ISSUER, audience: AUDIENCE, secret: SECRET }],
};

/** What a token says that is not what the gateway wants; everything else is right. */
export interface TokenFlaws {
  readonly issuer?: string;
  readonly audience?: string;
  readonly secret?: string;
  /** Seconds from now. */
  readonly lifetime?: number;
}

export function tokenFor(
  subject: string,
  roles: readonly string[],
  { issuer = ISSUER, audience = AUDIENCE, secret = SECRET, lifetime = 3600 }: TokenFlaws = {},
): Promise<string> {
  return new SignJWT({ roles })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(subject)
    .setExpirationTime(Math.floor(Date.now() / 1000) + lifetime)
    .sign(new TextEncoder().encode(secret));
}

export interface Client {
  /** Result of `initialize`. */
  readonly initialized: Rpc;
  /** Notifications so far, in order. */
  readonly notified: readonly Rpc[];
  request(method: string, params?: unknown): Promise<Rpc>;
  /** Sends another token from now on, or none. */
  renew(token: string | undefined): void;
  close(): Promise<void>;
}

export const FRONTS = ["streamable", "sse", "pipe"] as const;
export type Front = (typeof FRONTS)[number];

export interface ClientOptions {
  /** None while sign-in is off. */
  readonly token?: string | undefined;
  /** Default: the newest for Streamable HTTP and pipes, 2024-11-05 for HTTP+SSE. */
  readonly revision?: string | undefined;
}

/** An initialized client. */
export async function openClient(
  core: Core,
  front: Front,
  given: string | ClientOptions = {},
): Promise<Client> {
  const options = typeof given === "string" ? { token: given } : given;
  if (front === "pipe") return await openPipe(core, options);
  const client = front === "sse"
    ? new SseClient(core, options)
    : new StreamableClient(core, options);
  await client.open();
  return client;
}

/** Fronts of the modern era. */
export const MODERN_FRONTS = ["streamable", "pipe"] as const;
export type ModernFront = (typeof MODERN_FRONTS)[number];

/** A client without a session: each request says everything itself. */
export function openModernClient(
  core: Core,
  front: ModernFront,
  token: string | undefined,
): Pick<Client, "request" | "renew" | "close"> {
  let current = token;
  const pipe = front === "pipe" ? new PipeClient() : undefined;
  if (pipe !== undefined) void core.attach(pipe, token === undefined ? {} : { token });
  let lastId = 0;
  return {
    request: async (method, given = {}) => {
      const params = given as Record<string, unknown>;
      const id = ++lastId;
      if (pipe !== undefined) {
        return await pipe.request(id, method, modernBody(method, params, { id })["params"]);
      }
      const headers = current === undefined ? {} : { authorization: `Bearer ${current}` };
      return (await modern(core.fetch, method, params, { id, headers })).answer;
    },
    renew: (next) => void (current = next),
    close: () => Promise.resolve(pipe?.close()),
  };
}

const INITIALIZE = { capabilities: {}, clientInfo: { name: "c", version: "1" } };

async function openPipe(core: Core, { token, revision }: ClientOptions): Promise<Client> {
  const pipe = new PipeClient();
  void core.attach(pipe, token === undefined ? {} : { token });
  const initialized = await pipe.initialize({}, revision);
  let lastId = 0;
  return {
    initialized,
    get notified() {
      return pipe.received.filter(({ id }) => id === undefined);
    },
    request: (method, params) => pipe.request(++lastId, method, params),
    renew: () => {},
    close: () => Promise.resolve(pipe.close()),
  };
}

abstract class HttpClient implements Client {
  initialized: Rpc = {};
  readonly notified: Rpc[] = [];
  protected readonly core: Core;
  protected readonly revision: string | undefined;
  #token: string | undefined;
  #lastId = 0;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  constructor(core: Core, { token, revision }: ClientOptions) {
    this.core = core;
    this.revision = revision;
    this.#token = token;
  }

  abstract open(): Promise<void>;
  abstract request(method: string, params?: unknown): Promise<Rpc>;

  renew(token: string | undefined): void {
    this.#token = token;
  }

  async close(): Promise<void> {
    await this.#reader?.cancel();
  }

  protected nextId(): number {
    return ++this.#lastId;
  }

  protected get authorization(): Record<string, string> {
    return this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
  }

  /** Opens a stream of events and reads it until the end. */
  protected async listen(
    path: string,
    headers: Record<string, string>,
    take: (event: string | undefined, data: string) => void,
  ): Promise<void> {
    const all = { host: "127.0.0.1:8808", accept: "text/event-stream", ...headers };
    const request = new Request(BASE + path, { headers: { ...all, ...this.authorization } });
    const { body } = await this.core.fetch(request);
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    this.#reader = reader;
    const parser = createParser({ onEvent: ({ event, data }) => take(event, data) });
    void pump(reader, (text) => parser.feed(text));
  }
}

async function pump(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  take: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    take(decoder.decode(value, { stream: true }));
  }
}

class StreamableClient extends HttpClient {
  #headers: Record<string, string> = {};

  async open(): Promise<void> {
    const { revision = "2025-11-25" } = this;
    const params = { ...INITIALIZE, protocolVersion: revision };
    const message = { jsonrpc: "2.0", id: "init", method: "initialize", params };
    const response = await post(this.core.fetch, message, this.authorization);
    const id = response.headers.get("mcp-session-id") ?? "";
    this.initialized = (await messagesOf(response))[0] as Rpc;
    this.#headers = { "mcp-session-id": id, "mcp-protocol-version": revision };
    await this.#post({ jsonrpc: "2.0", method: "notifications/initialized" });
    await this.listen("/mcp", this.#headers, (_, data) => {
      if (data !== "") this.notified.push(JSON.parse(data) as Rpc);
    });
  }

  async request(method: string, params?: unknown): Promise<Rpc> {
    const message = { jsonrpc: "2.0", id: this.nextId(), method, params };
    return (await messagesOf(await this.#post(message))).at(-1) as Rpc;
  }

  #post(message: unknown): Promise<Response> {
    return post(this.core.fetch, message, { ...this.#headers, ...this.authorization });
  }
}

class SseClient extends HttpClient {
  readonly #waiting = new Map<unknown, (message: Rpc) => void>();
  readonly #endpoint = Promise.withResolvers<string>();

  async open(): Promise<void> {
    await this.listen("/sse", {}, (event, data) => {
      if (event === "endpoint") this.#endpoint.resolve(data);
      else this.#take(JSON.parse(data) as Rpc);
    });
    const params = { ...INITIALIZE, protocolVersion: this.revision ?? "2024-11-05" };
    this.initialized = await this.request("initialize", params);
    await this.#post({ jsonrpc: "2.0", method: "notifications/initialized" });
  }

  async request(method: string, params?: unknown): Promise<Rpc> {
    const id = this.nextId();
    const { promise, resolve } = Promise.withResolvers<Rpc>();
    this.#waiting.set(id, resolve);
    await this.#post({ jsonrpc: "2.0", id, method, params });
    return await promise;
  }

  #take(message: Rpc): void {
    if (message.id === undefined) this.notified.push(message);
    else this.#waiting.get(message.id)?.(message);
  }

  async #post(message: unknown): Promise<void> {
    const body = JSON.stringify(message);
    const headers = { ...HEADERS, ...this.authorization };
    const url = BASE + await this.#endpoint.promise;
    const { status } = await this.core.fetch(new Request(url, { method: "POST", headers, body }));
    if (status !== 202) throw new Error(`The message was not taken: ${status}`);
  }
}
