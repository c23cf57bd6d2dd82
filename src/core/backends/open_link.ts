/**
 * The JSON-RPC peer towards a backend, the same over every wire: handshake, own ids, progress tokens,
 * attribution of server requests, cancellation, deadlines. What belongs to nobody is dropped and counted.
 */
import { type DroppedMessages, type RpcError, SentinelError } from "../../contract/mod.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import { encodeError, encodeNotification, encodeRequest, encodeResult, toRemoteError } from "../mcp/codec.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";
import type { Message, NotificationMessage, RequestMessage, ResponseMessage } from "../mcp/message.ts";
import { isLegacyRevision, LATEST_LEGACY } from "../mcp/revisions.ts";
import { canAnswer } from "../mcp/server_requests.ts";
import type { Ask, AskReply, Exchange, Link, LinkEvents, LinkReply, LinkRequest } from "./link.ts";
import type { OpenWire, Wire } from "./wire.ts";

/** However often progress comes, a request ends after this long (protocol: "a maximum regardless"). */
const HARD_LIMIT_MS = 30 * 60_000;
const SWEEP_MS = 250;
/** Ids that timed out or were cancelled, kept to tell late answers from foreign ones. */
const MAX_ABANDONED = 1024;
/** Server requests of one backend connection that wait for clients. */
const MAX_ASKS = 256;

export interface LinkOptions {
  /** What we declare to the backend; only what can be attributed to one client. */
  readonly capabilities: JsonObject;
  /** Version of this gateway, for `clientInfo`. */
  readonly version: string;
  readonly handshakeMs: number;
  readonly clock: Clock;
  readonly events: LinkEvents;
  /** Counters of the backend, shared by all its links. */
  readonly dropped: DroppedMessages;
  /** A backend wrote something that is not a message. */
  readonly invalid: (sample: string) => void;
}

/**
 * Opens a wire and shakes hands.
 * @throws SentinelError BACKEND_LOST, BACKEND_TIMEOUT or BACKEND_PROTOCOL; the wire is closed then
 */
export async function openLink(openWire: OpenWire, options: LinkOptions): Promise<Link> {
  const link = new JsonRpcLink(openWire, options);
  try {
    await link.handshake();
    return link;
  } catch (cause) {
    await link.close();
    throw cause;
  }
}

interface Pending {
  readonly request: LinkRequest;
  /** The caller's own progress token, put back on progress. */
  readonly token: unknown;
  readonly settle: (reply: LinkReply | SentinelError) => void;
  /** Monotonic time of the next expiry; moved by progress. */
  deadline: number;
  readonly hardDeadline: number;
  /** Questions to the client under way: nobody times out while a person thinks. */
  asks: number;
}

class JsonRpcLink implements Link {
  revision = LATEST_LEGACY;
  capabilities: JsonObject = {};
  instructions: string | undefined;
  open = true;
  readonly #options: LinkOptions;
  readonly #wire: Wire;
  readonly #pending = new Map<number, Pending>();
  readonly #abandoned = new Set<number>();
  readonly #asks = new Map<string, AbortController>();
  readonly #stopSweep: Cancel;
  #lastId = 0;
  #established = false;
  #closing: Promise<void> | undefined;

  constructor(openWire: OpenWire, options: LinkOptions) {
    this.#options = options;
    this.#stopSweep = options.clock.every(SWEEP_MS, () => this.#expire());
    this.#wire = openWire({
      message: (message, origin) => this.#receive(message, origin),
      failed: (request, error) => this.#fail(request, error),
      invalid: (sample) => {
        options.dropped.invalid++;
        options.invalid(sample);
      },
      closed: (error) => this.#lost(error),
    });
  }

  get inFlight(): number {
    return this.#pending.size;
  }

  async handshake(): Promise<void> {
    const { capabilities, version, handshakeMs } = this.#options;
    const { reply } = this.request({
      method: "initialize",
      params: {
        protocolVersion: LATEST_LEGACY,
        capabilities,
        clientInfo: { name: "mcp-sentinel", title: "MCP Sentinel", version },
      },
      owner: "",
      timeoutMs: handshakeMs,
    });
    this.#adopt(toResult(await reply));
    this.notify("notifications/initialized");
    this.#established = true;
    this.#wire.established(this.revision);
  }

  request(request: LinkRequest): Exchange {
    const id = ++this.#lastId;
    const reply = new Promise<LinkReply>((resolve, reject) => {
      const now = this.#options.clock.monotonic();
      this.#pending.set(id, {
        request,
        token: progressToken(request.params),
        settle: (outcome) => outcome instanceof SentinelError ? reject(outcome) : resolve(outcome),
        deadline: now + request.timeoutMs,
        hardDeadline: now + Math.max(HARD_LIMIT_MS, request.timeoutMs),
        asks: 0,
      });
    });
    if (this.open) this.#wire.send(encodeRequest(String(id), request.method, withOwnToken(request, id)), id);
    else this.#fail(id, new SentinelError("BACKEND_LOST", "Cannot send: the connection is closed", { executed: "no" }));
    return { reply, cancel: (reason) => this.#cancel(id, reason) };
  }

  notify(method: string, params?: JsonObject): void {
    if (this.open) this.#wire.send(encodeNotification(method, params));
  }

  close(): Promise<void> {
    this.#lost(new SentinelError("BACKEND_LOST", "Cannot finish the call: the connection was closed", { executed: "unknown" }));
    return this.#closing ??= this.#wire.close();
  }

  #adopt(result: JsonObject): void {
    const { protocolVersion, capabilities, instructions } = result;
    if (typeof protocolVersion !== "string" || !isLegacyRevision(protocolVersion)) {
      throw new SentinelError("BACKEND_PROTOCOL", "Cannot use the backend: it speaks no revision we know", {
        reason: `protocolVersion ${JSON.stringify(protocolVersion)?.slice(0, 40)}`,
      });
    }
    this.revision = protocolVersion;
    this.capabilities = isObject(capabilities) ? capabilities : {};
    this.instructions = typeof instructions === "string" ? instructions : undefined;
  }

  #receive(message: Message, origin: number | undefined): void {
    if (!this.open) return;
    if (message.kind === "response") return this.#answered(message);
    if (message.kind === "notification") return this.#notified(message, origin);
    void this.#asked(message, origin);
  }

  #answered(message: ResponseMessage): void {
    const id = Number(message.id);
    const pending = this.#take(id);
    if (pending === undefined) return this.#dropReply(id);
    if (message.error === undefined) pending.settle({ result: message.result as string });
    else pending.settle({ error: toRemoteError(message.error) });
  }

  #dropReply(id: number): void {
    const { dropped } = this.#options;
    if (!Number.isInteger(id) || id < 1 || id > this.#lastId) dropped.foreign++;
    else if (this.#abandoned.delete(id)) dropped.late++;
    else dropped.duplicate++;
  }

  #notified({ method, params = {} }: NotificationMessage, origin: number | undefined): void {
    if (method === "notifications/progress") return this.#progressed(params);
    if (method === "notifications/cancelled") return this.#withdrawn(params);
    if (method === "notifications/message") return this.#logged(params, origin);
    this.#options.events.notification(method, params);
  }

  #progressed(params: JsonObject): void {
    const pending = this.#pending.get(params["progressToken"] as number);
    if (pending === undefined || pending.token === undefined) return void this.#options.dropped.late++;
    pending.deadline = this.#options.clock.monotonic() + pending.request.timeoutMs;
    pending.request.notify?.("notifications/progress", { ...params, progressToken: pending.token });
  }

  #withdrawn(params: JsonObject): void {
    this.#asks.get(JSON.stringify(params["requestId"]))?.abort("withdrawn by the backend");
  }

  /** A log message goes with the call it belongs to; with calls of several owners it belongs to nobody. */
  #logged(params: JsonObject, origin: number | undefined): void {
    const pending = this.#attribute(origin);
    if (pending !== undefined) return pending.request.notify?.("notifications/message", params);
    if (this.#pending.size === 0) return this.#options.events.notification("notifications/message", params);
    this.#options.dropped.unattributed++;
  }

  /** The request a server message belongs to: that of its stream, or any if all have the same owner. */
  #attribute(origin: number | undefined): Pending | undefined {
    if (origin !== undefined) return this.#pending.get(origin);
    let last: Pending | undefined;
    for (const pending of this.#pending.values()) {
      if (last !== undefined && last.request.owner !== pending.request.owner) return undefined;
      last = pending;
    }
    return last;
  }

  async #asked(message: RequestMessage, origin: number | undefined): Promise<void> {
    if (message.method === "ping") return this.#wire.send(encodeResult(message.id, "{}"));
    if (!canAnswer(this.#options.capabilities, message.method)) return this.#decline(message);
    const pending = this.#attribute(origin);
    const ask = pending?.request.ask ?? this.#options.events.ask;
    if (ask === undefined || this.#asks.size >= MAX_ASKS) return this.#decline(message);
    const controller = new AbortController();
    this.#asks.set(message.id, controller);
    if (pending !== undefined) pending.asks++;
    const reply = await answerOf(() => ask(this.#question(message, controller.signal)));
    this.#asks.delete(message.id);
    if (pending !== undefined) this.#resume(pending);
    if (!this.open || controller.signal.aborted) return;
    this.#wire.send("error" in reply ? encodeError(message.id, reply.error) : encodeResult(message.id, reply.result));
  }

  #question({ method, params = {} }: RequestMessage, signal: AbortSignal): Ask {
    return { method, params, signal, progress: (progress) => this.notify("notifications/progress", progress) };
  }

  /** The person answered: the backend gets its full time again. */
  #resume(pending: Pending): void {
    pending.asks--;
    pending.deadline = this.#options.clock.monotonic() + pending.request.timeoutMs;
  }

  #decline(message: RequestMessage): void {
    this.#options.dropped.unattributed++;
    this.#wire.send(encodeError(message.id, { code: -32601, message: `Cannot answer "${message.method}": no client can be asked` }));
  }

  #cancel(id: number, reason: string): void {
    const pending = this.#abandon(id);
    if (pending === undefined) return;
    pending.settle(new SentinelError("BACKEND_LOST", "Cannot finish the call: it was cancelled", { executed: "unknown", reason }));
    this.notify("notifications/cancelled", { requestId: id, reason });
    this.#wire.forget(id);
  }

  #expire(): void {
    const now = this.#options.clock.monotonic();
    for (const [id, pending] of this.#pending) {
      const due = pending.asks > 0 ? pending.hardDeadline : Math.min(pending.deadline, pending.hardDeadline);
      if (now < due) continue;
      this.#abandon(id);
      pending.settle(timeout(pending.request));
      // The handshake must not be cancelled (specification, lifecycle).
      if (this.#established) this.notify("notifications/cancelled", { requestId: id, reason: "timeout" });
      this.#wire.forget(id);
    }
  }

  #abandon(id: number): Pending | undefined {
    const pending = this.#take(id);
    if (pending === undefined) return undefined;
    this.#abandoned.add(id);
    if (this.#abandoned.size > MAX_ABANDONED) {
      for (const oldest of this.#abandoned) {
        this.#abandoned.delete(oldest);
        break;
      }
    }
    return pending;
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #fail(id: number, error: SentinelError): void {
    this.#take(id)?.settle(error);
  }

  #lost(error: SentinelError): void {
    if (!this.open) return;
    this.open = false;
    this.#stopSweep();
    for (const controller of this.#asks.values()) controller.abort("the backend is gone");
    this.#asks.clear();
    for (const id of [...this.#pending.keys()]) this.#fail(id, error);
    this.#options.events.closed(error);
  }
}

function progressToken(params: JsonObject): unknown {
  const meta = params["_meta"];
  return isObject(meta) ? meta["progressToken"] : undefined;
}

/** Our id stands for the caller's token: two callers may use the same one. */
function withOwnToken({ params }: LinkRequest, id: number): JsonObject {
  const meta = params["_meta"];
  if (!isObject(meta) || meta["progressToken"] === undefined) return params;
  return { ...params, _meta: { ...meta, progressToken: id } };
}

async function answerOf(ask: () => Promise<AskReply>): Promise<AskReply> {
  try {
    return await ask();
  } catch (cause) {
    const message = cause instanceof SentinelError ? cause.message : "Cannot ask the client";
    return { error: { code: -32603, message } };
  }
}

/**
 * The result object of a reply that the gateway itself reads.
 * @throws SentinelError BACKEND_PROTOCOL for an error answer or a result that is not an object
 */
export function toResult(reply: LinkReply): JsonObject {
  if ("error" in reply) throw refused(reply.error);
  const result: unknown = JSON.parse(reply.result);
  if (isObject(result)) return result;
  throw new SentinelError("BACKEND_PROTOCOL", "Cannot read the backend's answer: the result is not an object");
}

function refused(error: RpcError): SentinelError {
  return new SentinelError("BACKEND_PROTOCOL", "Cannot use the backend: it answered with an error", {
    reason: `${error.code} ${error.message.slice(0, 200)}`,
    more: { rpc: error.code },
  });
}

function timeout(request: LinkRequest): SentinelError {
  return new SentinelError("BACKEND_TIMEOUT", `Cannot finish "${request.method}": no answer within ${request.timeoutMs} ms`, {
    executed: "unknown",
  });
}
