/**
 * For clients that start a command instead of opening a URL: what they write to stdin goes to a gateway that
 * listens, and what it says to stdout. Clients of the legacy era; a session the gateway has lost is begun anew.
 */
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
// @ts-types="@modelcontextprotocol/sdk/server/stdio"
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
// @ts-types="@modelcontextprotocol/sdk/types"
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
import process from "node:process";
import { visible } from "./text.ts";

const NOT_REACHED = -32000;
const SESSION_GONE = 404;
const UNAUTHORIZED = 401;
/** A gateway that is restarted comes back within this; after that the next message asks again. */
const RECONNECTION = {
  initialReconnectionDelay: 500,
  maxReconnectionDelay: 30_000,
  reconnectionDelayGrowFactor: 2,
  maxRetries: 20,
};
/** Id of the handshake that we repeat ourselves; no client writes it. */
const OWN_ID = "mcp-sentinel stdio handshake";

interface BridgeOptions {
  readonly url: URL;
  readonly token: string | undefined;
  /** For stderr. */
  readonly warn: (text: string) => void;
}

type Request = Extract<JSONRPCMessage, { method: string; id: string | number }>;

/** Serves one client until it closes stdin or a signal ends it. Nothing but messages is written to stdout. */
export async function bridge(options: BridgeOptions): Promise<void> {
  const client = new StdioServerTransport();
  const gateway = new GatewaySide(options, (message) => void client.send(message));
  const ended = new Promise<"client" | "signal">((resolve) => {
    for (const event of ["end", "close"]) process.stdin.once(event, () => resolve("client"));
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => resolve("signal"));
  });
  const open = new Set<Promise<void>>();
  client.onmessage = (message) => {
    const sent = gateway.send(message).finally(() => open.delete(sent));
    open.add(sent);
  };
  client.onerror = (error) => options.warn(`not a message: ${error.message}`);
  await client.start();
  // What was asked before the end of stdin is still answered.
  if (await ended === "client") await Promise.all(open);
  await gateway.close();
  await client.close();
}

/** The session at the gateway. */
class GatewaySide {
  readonly #options: BridgeOptions;
  readonly #deliver: (message: JSONRPCMessage) => void;
  #transport: StreamableHTTPClientTransport;
  #initialize: Request | undefined;
  #revived: Promise<void> | undefined;

  constructor(options: BridgeOptions, deliver: (message: JSONRPCMessage) => void) {
    this.#options = options;
    this.#deliver = deliver;
    this.#transport = this.#newTransport();
  }

  /** Never rejects: a request that fails is answered with an error. */
  async send(message: JSONRPCMessage): Promise<void> {
    if (isRequest(message) && message.method === "initialize") this.#initialize = message;
    try {
      await this.#sendOrRevive(message);
    } catch (thrown) {
      this.#options.warn(failureText(thrown, this.#options.url));
      if (isRequest(message)) this.#deliver(errorFor(message, thrown, this.#options.url));
    }
  }

  async close(): Promise<void> {
    // A gateway that is gone has no session either.
    await this.#transport.terminateSession().catch(() => undefined);
    await this.#transport.close();
  }

  async #sendOrRevive(message: JSONRPCMessage): Promise<void> {
    const transport = this.#transport;
    try {
      await transport.send(message);
    } catch (thrown) {
      const isGone = statusOf(thrown) === SESSION_GONE && transport.sessionId !== undefined;
      if (!isGone || this.#initialize === undefined) throw thrown;
      // Refused before anything was done with it, so it may be sent again.
      this.#revived ??= this.#revive(this.#initialize).finally(() => this.#revived = undefined);
      await this.#revived;
      await this.#transport.send(message);
    }
  }

  async #revive(initialize: Request): Promise<void> {
    await this.#transport.close();
    this.#transport = this.#newTransport();
    await this.#transport.send({ ...initialize, id: OWN_ID });
    await this.#transport.send({ jsonrpc: "2.0", method: "notifications/initialized" });
    this.#options.warn("the gateway has lost the session: a new one was begun");
  }

  #newTransport(): StreamableHTTPClientTransport {
    const { url, token } = this.#options;
    const transport = new StreamableHTTPClientTransport(url, {
      reconnectionOptions: RECONNECTION,
      ...(token === undefined
        ? {}
        : { requestInit: { headers: { Authorization: `Bearer ${token}` } } }),
    });
    transport.onmessage = (message) => {
      const isOwn = "id" in message && message.id === OWN_ID;
      const id = this.#initialize?.id;
      if (isOwn || ("id" in message && message.id === id)) noteRevision(transport, message);
      if (!isOwn) this.#deliver(message);
    };
    void transport.start();
    return transport;
  }
}

function isRequest(message: JSONRPCMessage): message is Request {
  return "method" in message && "id" in message;
}

/** Every request after the handshake names the revision that came out of it. */
function noteRevision(transport: StreamableHTTPClientTransport, message: JSONRPCMessage): void {
  if (!("result" in message)) return;
  const { protocolVersion } = message.result;
  if (typeof protocolVersion === "string") transport.setProtocolVersion(protocolVersion);
}

function statusOf(thrown: unknown): number | undefined {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  return typeof code === "number" ? code : undefined;
}

/** What the gateway said itself, or why it could not be asked. */
function errorFor({ id }: Request, thrown: unknown, url: URL): JSONRPCMessage {
  const said = errorIn(thrown);
  const error = said ?? { code: NOT_REACHED, message: failureText(thrown, url) };
  return { jsonrpc: "2.0", id, error };
}

function errorIn(thrown: unknown): { code: number; message: string; data?: unknown } | undefined {
  const text = thrown instanceof Error ? thrown.message : "";
  try {
    const body: unknown = JSON.parse(text.slice(Math.max(0, text.indexOf("{"))));
    const error = (body as { error?: unknown } | null)?.error as
      | { code?: unknown; message?: unknown; data?: unknown }
      | undefined;
    const { code, message, data } = error ?? {};
    if (typeof code !== "number" || typeof message !== "string") return undefined;
    return { code, message, ...(data === undefined ? {} : { data }) };
  } catch {
    return undefined; // no message of the gateway's
  }
}

function failureText(thrown: unknown, url: URL): string {
  const status = statusOf(thrown);
  if (status === UNAUTHORIZED) {
    return `Cannot sign in at ${url.href}: the token is missing, wrong or expired`;
  }
  const reason = thrown instanceof Error ? causeOf(thrown) : String(thrown);
  return `Cannot reach the gateway at ${url.href}: ${visible(reason)}`;
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}
