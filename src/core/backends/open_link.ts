/**
 * The JSON-RPC peer towards a backend, the same over every wire: handshake, own ids, progress tokens,
 * attribution, cancellation, deadlines. What belongs to nobody is dropped and counted.
 */
import { asSentinelError, type Era, SentinelError } from "../../contract/mod.ts";
import type { Cancel } from "../../ports/clock.ts";
import { encodeNotification, encodeRequest, toRemoteError } from "../mcp/codec.ts";
import { LISTEN } from "../mcp/envelope.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";
import type { Message, NotificationMessage, ResponseMessage } from "../mcp/message.ts";
import type { Dialect } from "./dialect.ts";
import { type Dialects, greet, type Hello, refusesRevision, speaksAnother } from "./greet.ts";
import { isEvidence } from "./http_errors.ts";
import type { Exchange, Link, LinkReply, LinkRequest } from "./link.ts";
import { closedBefore, closedMeanwhile } from "./link_errors.ts";
import { dialectsOf, type LinkOptions } from "./link_options.ts";
import { Listening } from "./listening.ts";
import { type Pending, PendingRequests } from "./pending.ts";
import { Questions } from "./questions.ts";
import { isToolError } from "./tool_error.ts";
import { withTrace } from "../tracing/trace_context.ts";
import type { OpenWire, Wire } from "./wire.ts";

const SWEEP_MS = 250;
const CANCELLED = "notifications/cancelled";

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
  watch?: (uris: readonly string[]) => Promise<LinkReply>;
  revision = "";
  capabilities: JsonObject = {};
  instructions: string | undefined;
  serverName: string | undefined;
  open = true;
  received = 0;
  readonly #options: LinkOptions;
  readonly #dialects: Dialects;
  readonly #wire: Wire;
  readonly #pending: PendingRequests;
  readonly #questions: Questions;
  readonly #stopSweep: Cancel;
  /** Monotonic time since the handshake is done. */
  #establishedAt: number | undefined;
  #closing: Promise<void> | undefined;
  #dialect: Dialect;
  #listening: Listening | undefined;
  #doubting = false;

  constructor(openWire: OpenWire, options: LinkOptions) {
    const { clock, dropped, capabilities, events, invalid } = options;
    this.#options = options;
    this.#dialects = dialectsOf(options);
    this.#dialect = this.#dialects[0];
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
      heard: (request, isOpen) => this.#pending.heard(request, isOpen),
      failed: (request, error) => this.#failed(request, error),
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

  get era(): Era {
    return this.#dialect.era;
  }

  async handshake(): Promise<void> {
    const { clock, metrics } = this.#options;
    const say = (spoken: Dialect) => this.#hello(spoken);
    const { dialect, greeting } = await greet(this.#dialects, say, clock);
    this.#dialect = dialect;
    Object.assign(this, greeting);
    if (dialect.confirmation !== undefined) this.notify(dialect.confirmation);
    this.#establishedAt = clock.monotonic();
    metrics?.opened();
    this.#wire.established(this.revision);
    if (dialect.era === "modern" && this.open) this.#listen();
  }

  request(request: LinkRequest): Exchange {
    const { clock, metrics } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<LinkReply>();
    const startedAt = clock.monotonic();
    let cancelled = false;
    const id = this.#pending.add(request, startedAt, (outcome) => {
      exchange.tookMs = clock.monotonic() - startedAt;
      metrics?.answered(request, cancelled ? "cancelled" : outcome, exchange.tookMs);
      if (outcome instanceof SentinelError) return reject(outcome);
      if (refusesRevision(outcome)) this.#doubt();
      resolve(outcome);
    });
    const exchange = {
      reply: promise,
      tookMs: 0,
      cancel: (reason: string) => {
        cancelled = true;
        this.#cancel(id, reason);
      },
    };
    if (this.open) this.#send(id, request);
    else this.#pending.take(id)?.settle(closedBefore());
    return exchange;
  }

  notify(method: string, params?: JsonObject): void {
    if (this.open && this.#dialect.twoWay) this.#wire.send(encodeNotification(method, params));
  }

  close(): Promise<void> {
    this.#end(closedMeanwhile("the connection was closed"), undefined);
    return this.#closing ??= this.#wire.close();
  }

  #send(id: number, request: LinkRequest): void {
    const { method, trace } = request;
    const params = withOwnToken(this.#dialect.params(request), id);
    const traced = trace === undefined ? params : withTrace(params, trace);
    const headers = this.#dialect.headers(request);
    this.#wire.send(
      encodeRequest(String(id), method, traced),
      id,
      trace === undefined ? headers : { ...headers, ...trace },
    );
  }

  #hello(dialect: Dialect): Hello {
    this.#dialect = dialect;
    const first = this.#pending.lastId + 1;
    const timeoutMs = this.#options.handshakeMs;
    const { reply } = this.request({ ...dialect.hello, owner: "", timeoutMs });
    return { reply, drop: () => this.#pending.abandon(first)?.settle(closedMeanwhile("unwanted")) };
  }

  #listen(): void {
    const { clock, random, events, followsLists = false, deaf } = this.#options;
    const listening = this.#listening = new Listening({
      capabilities: this.capabilities,
      lists: followsLists,
      clock,
      fraction: () => random?.fraction() ?? 0,
      open: (notifications) => {
        const id = this.#pending.nextId();
        this.#send(id, { method: LISTEN, params: { notifications }, owner: "", timeoutMs: 0 });
        return id;
      },
      close: (id) => {
        this.#pending.noteAbandoned(id);
        this.#forget(id, "not needed any more");
      },
      event: (method, params) => events.notification(method, params),
      refused: (reason) => deaf?.(reason),
    });
    this.watch = (uris) => this.open ? listening.watch(uris) : Promise.reject(closedBefore());
  }

  /** Asks again for the era when an answer looks as if the backend did not know it any more. */
  #doubt(): void {
    const isDoubtful = this.#dialect.era === "modern" && this.#establishedAt !== undefined;
    if (!isDoubtful || this.#doubting || !this.open) return;
    this.#doubting = true;
    const { clock, stale } = this.#options;
    greet([this.#dialect], (dialect) => this.#hello(dialect), clock).catch((cause) => {
      if (!this.open || !speaksAnother(cause)) return;
      stale?.();
      this.#lost(asSentinelError(cause));
      void this.close();
    }).finally(() => this.#doubting = false);
  }

  #receive(message: Message, origin: number | undefined): void {
    if (!this.open) return;
    this.received++;
    if (message.kind === "response") this.#answered(message);
    else if (message.kind === "notification") this.#notified(message, origin);
    else if (this.#dialect.twoWay) this.#questions.receive(message, origin);
    else {
      this.#options.dropped.invalid++;
      this.#options.invalid(
        `the request "${message.method}", which no backend of its revision sends`,
      );
    }
  }

  #failed(request: number, error: SentinelError): void {
    if (this.#listening?.ended(request, error) === true) return;
    this.#pending.take(request)?.settle(error);
    const status = error.details.more?.["status"];
    if (error.code === "BACKEND_PROTOCOL" && isEvidence(Number(status))) this.#doubt();
  }

  #answered(message: ResponseMessage): void {
    const id = Number(message.id);
    const pending = this.#pending.take(id);
    const error = message.error === undefined ? undefined : toRemoteError(message.error);
    const reply = error === undefined ? { result: message.result as string } : { error };
    if (pending !== undefined) pending.settle(this.#judged(reply, pending));
    else if (this.#listening?.ended(id, reply) !== true) this.#pending.drop(id);
  }

  /** The reply with what its text says of itself. */
  #judged(reply: LinkReply, { request: { method, tool } }: Pending): LinkReply | SentinelError {
    if ("error" in reply) return reply;
    const { result } = reply;
    try {
      const type = this.#dialect.resultType(method, result);
      if (type !== undefined) return { result, type };
    } catch (cause) {
      return asSentinelError(cause);
    }
    return tool !== undefined && isToolError(result) ? { result, isError: true } : reply;
  }

  #notified({ method, params = {} }: NotificationMessage, origin: number | undefined): void {
    if (this.#listening?.receive(method, params, origin) === true) return;
    if (method === "notifications/progress") this.#progressed(params);
    else if (method === CANCELLED) this.#questions.withdraw(params["requestId"]);
    else if (method === "notifications/message") this.#logged(params, origin);
    else if (this.#dialect.twoWay) this.#options.events.notification(method, params);
    else this.#options.dropped.unattributed++;
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
    else if (this.#dialect.twoWay && (isOwn || this.#pending.size === 0)) {
      this.#options.events.notification("notifications/message", params);
    } else this.#options.dropped.unattributed++;
  }

  #cancel(id: number, reason: string): void {
    const pending = this.#pending.abandon(id);
    if (pending === undefined) return;
    pending.settle(closedMeanwhile(reason));
    this.#forget(id, reason);
  }

  #forget(id: number, reason: string): void {
    if (this.open && this.#dialect.tellsCancel) {
      this.#wire.send(encodeNotification(CANCELLED, { requestId: id, reason }));
    }
    this.#wire.forget(id);
  }

  #expire(): void {
    for (const id of this.#pending.expire()) {
      // The handshake must not be cancelled (specification, lifecycle).
      if (this.#establishedAt === undefined) this.#wire.forget(id);
      else this.#forget(id, "timeout");
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
    this.#listening?.stop();
    this.#pending.failAll(error);
    this.#options.events.closed(error);
  }
}

/** Our id stands for the caller's token: two callers may use the same one. */
function withOwnToken(params: JsonObject, id: number): JsonObject {
  const meta = params["_meta"];
  if (!isObject(meta) || meta["progressToken"] === undefined) return params;
  return { ...params, _meta: { ...meta, progressToken: id } };
}
