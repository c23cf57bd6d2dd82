/** What HTTP wires are tested with: a recorder of their events, and backends that answer as told. */
import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { SentinelError } from "../../src/contract/mod.ts";
import type { HttpWireOptions } from "../../src/core/backends/http_endpoint.ts";
import type { OpenWire, Wire } from "../../src/core/backends/wire.ts";
import type { Message } from "../../src/core/mcp/message.ts";
import { createFetchClient } from "../../src/hosts/http_client/fetch_client.ts";
import { createUndiciClient } from "../../src/hosts/http_client/undici_client.ts";
import type { HttpClient } from "../../src/ports/http_client.ts";
import { FakeClock } from "./fake_clock.ts";
import { bodyOf, type HttpFixture, serveHttp } from "./http_fixture.ts";
import { RUNTIME } from "./runtime.ts";

/** The client the runtime of this test has in production. */
export function hostClient(): Promise<HttpClient> {
  return RUNTIME === "bun" ? Promise.resolve(createFetchClient()) : createUndiciClient();
}

const PATIENCE_MS = 4000;

/** Waits until `check` gives something; fails loudly instead of hanging. */
export async function eventually<T>(what: string, check: () => T | undefined | false): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = check();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) assert.fail(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export interface Received {
  readonly message: Message;
  readonly origin: number | undefined;
}

/** An open wire and everything it reported, driven by hand as a link would. */
export class WireProbe implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly failures = new Map<number, SentinelError>();
  readonly invalid: string[] = [];
  readonly closed: SentinelError[] = [];
  readonly wire: Wire;

  constructor(open: OpenWire) {
    this.wire = open({
      message: (message, origin) => void this.received.push({ message, origin }),
      failed: (request, error) => void this.failures.set(request, error),
      invalid: (sample) => void this.invalid.push(sample),
      closed: (error) => void this.closed.push(error),
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.wire.close();
  }

  call(id: number, method = "tools/call"): void {
    this.wire.send(JSON.stringify({ jsonrpc: "2.0", id, method, params: {} }), id);
  }

  notify(method: string): void {
    this.wire.send(JSON.stringify({ jsonrpc: "2.0", method }));
  }

  /** Shakes hands as request 1. */
  async handshake(revision = "2025-11-25"): Promise<void> {
    const params = {
      protocolVersion: revision,
      capabilities: { elicitation: {} },
      clientInfo: { name: "probe", version: "0" },
    };
    this.wire.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params }), 1);
    await this.answer(1);
    this.notify("notifications/initialized");
    this.wire.established(revision);
  }

  /** The answer to a request, with the stream it came on. */
  answer(id: number): Promise<Received> {
    return eventually(`the answer to request ${id}`, () => {
      const failure = this.failures.get(id);
      if (failure !== undefined) throw failure;
      return this.received.find(({ message }) =>
        message.kind === "response" && message.id === String(id)
      );
    });
  }

  failure(id: number): Promise<SentinelError> {
    return eventually(`the failure of request ${id}`, () => this.failures.get(id));
  }

  /** The first message of a method, with the stream it came on. */
  message(method: string): Promise<Received> {
    return eventually(
      `a message "${method}"`,
      () =>
        this.received.find(({ message }) =>
          message.kind !== "response" && message.method === method
        ),
    );
  }

  /** The error the wire closed with. */
  async end(): Promise<SentinelError> {
    const error = await eventually("the end of the wire", () => this.closed[0]);
    assert.equal(this.closed.length, 1);
    return error;
  }
}

/** One request a scripted backend got. */
export interface Seen {
  readonly http: string;
  readonly headers: IncomingMessage["headers"];
  /** Method of the JSON-RPC message, when there is one. */
  readonly method: string | undefined;
}

export type Act = (
  response: ServerResponse,
  id: number,
  request: IncomingMessage,
) => void | Promise<void>;

/** Answers by JSON-RPC method, and by `GET` and `DELETE`; anything missing behaves well. */
export type Script = Readonly<Record<string, Act>>;

export interface ScriptedBackend extends HttpFixture {
  readonly seen: Seen[];
}

const WELL_BEHAVED: Script = {
  initialize: (response, id) => {
    const result = {
      protocolVersion: "2025-11-25",
      capabilities: {},
      serverInfo: { name: "s", version: "0" },
    };
    json(response, { jsonrpc: "2.0", id, result }, { "mcp-session-id": "session-1" });
  },
  GET: (response) => void response.writeHead(405).end(),
  DELETE: (response) => void response.writeHead(200).end(),
};

/** A Streamable HTTP backend that does what the script says. */
export async function serveScript(script: Script): Promise<ScriptedBackend> {
  const seen: Seen[] = [];
  const fixture = await serveHttp(async (request, response) => {
    // A wire that closes may take its request back at any time.
    const text = await bodyOf(request).catch(() => undefined);
    if (text === undefined) return;
    const { method, id } = text === "" ? {} : JSON.parse(text) as { method?: string; id?: number };
    seen.push({ http: request.method as string, headers: request.headers, method });
    const key = request.method === "POST" ? method ?? "response" : request.method as string;
    const act = script[key] ?? WELL_BEHAVED[key] ?? acknowledge;
    await act(response, id ?? 0, request);
  }, "/mcp");
  return { ...fixture, seen };
}

export function acknowledge(response: ServerResponse): void {
  response.writeHead(202).end();
}

export function json(
  response: ServerResponse,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(200, { "content-type": "application/json", ...headers }).end(
    JSON.stringify(body),
  );
}

/** Begins an event stream and sends `text`. */
export function stream(response: ServerResponse, text = ": open\n\n"): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(text);
}

/** An event with one JSON-RPC message. */
export function event(message: unknown, id?: string): string {
  return `${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(message)}\n\n`;
}

/** A successful answer as JSON-RPC message. */
export function success(id: number, result: unknown = {}): unknown {
  return { jsonrpc: "2.0", id, result };
}

const noChance = { fraction: () => 0, bytes: (length: number) => new Uint8Array(length) };

/** Options for a wire to `url` on a clock that moves only when told. */
export function wireOptions(
  url: URL,
  http: HttpClient,
  more: Partial<HttpWireOptions> = {},
): HttpWireOptions & { readonly clock: FakeClock } {
  const mask = (text: string) => text.replaceAll("hunter2", "***");
  return {
    backend: "exa",
    url,
    headers: {},
    http,
    random: noChance,
    mask,
    ...more,
    clock: new FakeClock(),
  };
}
