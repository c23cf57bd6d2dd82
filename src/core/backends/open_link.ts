/**
 * The JSON-RPC peer towards a backend, the same over every wire: handshake, own ids, progress tokens,
 * attribution, cancellation, deadlines. What belongs to nobody is dropped and counted.
 */
import { type DroppedMessages, SentinelError } from "../../contract/mod.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import { encodeNotification, encodeRequest, toRemoteError } from "../mcp/codec.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";
import type { Message, NotificationMessage, ResponseMessage } from "../mcp/message.ts";
import { isLegacyRevision, LATEST_LEGACY } from "../mcp/revisions.ts";
import type { Exchange, Link, LinkEvents, LinkReply, LinkRequest } from "./link.ts";
import type { LinkMetrics } from "./link_metrics.ts";
import { PendingRequests } from "./pending.ts";
import { printable } from "./printable.ts";
import { Questions } from "./questions.ts";
import { toResult } from "./reply.ts";
import { isToolError } from "./tool_error.ts";
import type { OpenWire, Wire } from "./wire.ts";

const SWEEP_MS = 250;
const MAX_SERVER_NAME = 128;

export interface LinkOptions {
  /** What we declare to the backend; only what can be attributed to one client. */
  readonly capabilities: JsonObject;
  /** Version of this gateway, for `clientInfo`. */
  readonly version: string;
  readonly handshakeMs: number;
  /** Gives the handshake up. */
  readonly signal?: AbortSignal;
  readonly clock: Clock;
  readonly events: LinkEvents;
  /** Counters of the backend, shared by all its links. */
  readonly dropped: DroppedMessages;
  /** A backend wrote something that is not a message. */
  readonly invalid: (sample: string) => void;
  readonly metrics?: LinkMetrics;
}

/**
 * Opens a wire and shakes hands.
 * @throws SentinelError BACKEND_LOST, BACKEND_TIMEOUT or BACKEND_PROTOCOL; the wire is closed then
 */
export async function openLink(openWire: OpenWire, options: LinkOptions): Promise<Link> {
  const link = new JsonRpcLink(openWire, options);
  const giveUp = () => void link.close();
  options.signal?.addEventListener("abort", giveUp, { once: true });
  try {
    await link.handshake();
    return link;
  } catch (cause) {
    await link.close();
    throw cause;
  } finally {
    options.signal?.removeEventListener("abort", giveUp);
  }
}

class JsonRpcLink implements Link {
  readonly era = "legacy";
  revision = LATEST_LEGACY;
  capabilities: JsonObject = {};
  instructions: string | undefined;
  serverName: string | undefined;
  open = true;
  readonly #options: LinkOptions;
  readonly #wire: Wire;
  readonly #pending: PendingRequests;
  readonly #questions: Questions;
  readonly #stopSweep: Cancel;
  /** Monotonic time since the handshake is done. */
  #establishedAt: number | undefined;
  #closing: Promise<void> | undefined;

  constructor(openWire: OpenWire, options: LinkOptions) {
    const { clock, dropped, capabilities, events, invalid } = options;
    this.#options = options;
    this.#pending = new PendingRequests(clock, dropped);
    this.#questions = new Questions({
      capabilities,
      pending: this.#pending,
      dropped,
      ask: events.ask?.bind(events),
      send: (text) => this.open && this.#wire.send(text),
      notify: (method, params) => this.notify(method, params),
    });
    this.#stopSweep = clock.every(SWEEP_MS, () => this.#expire());
    this.#wire = openWire({
      message: (message, origin) => this.#receive(message, origin),
      failed: (request, error) => this.#pending.take(request)?.settle(error),
      invalid: (sample) => {
        dropped.invalid++;
        invalid(sample);
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
    this.#establishedAt = this.#options.clock.monotonic();
    this.#options.metrics?.opened();
    this.#wire.established(this.revision);
  }

  request(request: LinkRequest): Exchange {
    const { clock, metrics } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<LinkReply>();
    const startedAt = clock.monotonic();
    let cancelled = false;
    const id = this.#pending.add(request, (outcome) => {
      exchange.tookMs = clock.monotonic() - startedAt;
      metrics?.answered(request, cancelled ? "cancelled" : outcome, exchange.tookMs);
      if (outcome instanceof SentinelError) reject(outcome);
      else resolve(outcome);
    });
    const exchange = {
      reply: promise,
      tookMs: 0,
      cancel: (reason: string) => {
        cancelled = true;
        this.#cancel(id, reason);
      },
    };
    if (this.open) {
      this.#wire.send(encodeRequest(String(id), request.method, withOwnToken(request, id)), id);
    } else this.#pending.take(id)?.settle(closedBefore());
    return exchange;
  }

  notify(method: string, params?: JsonObject): void {
    if (this.open) this.#wire.send(encodeNotification(method, params));
  }

  close(): Promise<void> {
    this.#end(closedMeanwhile("the connection was closed"), undefined);
    return this.#closing ??= this.#wire.close();
  }

  #adopt({ protocolVersion, capabilities, instructions, serverInfo }: JsonObject): void {
    if (typeof protocolVersion !== "string" || !isLegacyRevision(protocolVersion)) {
      throw new SentinelError(
        "BACKEND_PROTOCOL",
        "Cannot use the backend: it speaks no revision we know",
        {
          reason: `protocolVersion ${JSON.stringify(protocolVersion)?.slice(0, 40)}`,
        },
      );
    }
    this.revision = protocolVersion;
    this.capabilities = isObject(capabilities) ? capabilities : {};
    this.instructions = typeof instructions === "string" ? instructions : undefined;
    const name = isObject(serverInfo) ? serverInfo["name"] : undefined;
    this.serverName = typeof name === "string" ? printable(name, MAX_SERVER_NAME) : undefined;
  }

  #receive(message: Message, origin: number | undefined): void {
    if (!this.open) return;
    if (message.kind === "response") this.#answered(message);
    else if (message.kind === "notification") this.#notified(message, origin);
    else this.#questions.receive(message, origin);
  }

  #answered(message: ResponseMessage): void {
    const id = Number(message.id);
    const pending = this.#pending.take(id);
    if (pending === undefined) return this.#pending.drop(id);
    if (message.error !== undefined) {
      return pending.settle({ error: toRemoteError(message.error) });
    }
    const result = message.result as string;
    const isError = pending.request.tool !== undefined && isToolError(result);
    pending.settle(isError ? { result, isError } : { result });
  }

  #notified({ method, params = {} }: NotificationMessage, origin: number | undefined): void {
    if (method === "notifications/progress") this.#progressed(params);
    else if (method === "notifications/cancelled") this.#questions.withdraw(params["requestId"]);
    else if (method === "notifications/message") this.#logged(params, origin);
    else this.#options.events.notification(method, params);
  }

  #progressed(params: JsonObject): void {
    const pending = this.#pending.get(params["progressToken"] as number);
    if (pending === undefined || pending.token === undefined) {
      this.#options.dropped.late++;
      return;
    }
    this.#pending.extend(pending);
    pending.request.notify?.("notifications/progress", { ...params, progressToken: pending.token });
  }

  /** A log message goes with the call it belongs to; with calls of several owners it belongs to nobody. */
  #logged(params: JsonObject, origin: number | undefined): void {
    const pending = this.#pending.attribute(origin);
    const isOwn = this.#options.events.ask !== undefined;
    if (pending !== undefined) pending.request.notify?.("notifications/message", params);
    else if (isOwn || this.#pending.size === 0) {
      this.#options.events.notification("notifications/message", params);
    } else this.#options.dropped.unattributed++;
  }

  #cancel(id: number, reason: string): void {
    const pending = this.#pending.abandon(id);
    if (pending === undefined) return;
    pending.settle(closedMeanwhile(reason));
    this.notify("notifications/cancelled", { requestId: id, reason });
    this.#wire.forget(id);
  }

  #expire(): void {
    for (const id of this.#pending.expire()) {
      // The handshake must not be cancelled (specification, lifecycle).
      if (this.#establishedAt !== undefined) {
        this.notify("notifications/cancelled", { requestId: id, reason: "timeout" });
      }
      this.#wire.forget(id);
    }
  }

  #lost(error: SentinelError): void {
    this.#end(error, error);
  }

  /** `fault` is missing when we end it ourselves. */
  #end(error: SentinelError, fault: SentinelError | undefined): void {
    if (!this.open) return;
    const { clock, metrics } = this.#options;
    if (this.#establishedAt !== undefined) {
      metrics?.closed(clock.monotonic() - this.#establishedAt, fault);
    }
    this.open = false;
    this.#stopSweep();
    this.#questions.close();
    this.#pending.failAll(error);
    this.#options.events.closed(error);
  }
}

/** Our id stands for the caller's token: two callers may use the same one. */
function withOwnToken({ params }: LinkRequest, id: number): JsonObject {
  const meta = params["_meta"];
  if (!isObject(meta) || meta["progressToken"] === undefined) return params;
  return { ...params, _meta: { ...meta, progressToken: id } };
}

function closedBefore(): SentinelError {
  return new SentinelError("BACKEND_LOST", "Cannot send the call: the connection is closed", {
    executed: "no",
  });
}

function closedMeanwhile(reason: string): SentinelError {
  return new SentinelError("BACKEND_LOST", `Cannot finish the call: ${reason}`, {
    executed: "unknown",
  });
}
