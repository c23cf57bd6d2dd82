/**
 * Streamable HTTP as client, revisions 2025-03-26 to 2025-11-25. Every request has its own exchange, whose
 * stream is read here, so that what a backend sends on it can be attributed to that request.
 */
import type { SentinelError } from "../../contract/mod.ts";
import type { Message } from "../mcp/message.ts";
import { HttpDeliveries } from "./http_deliveries.ts";
import { HttpEndpoint, type HttpWireOptions } from "./http_endpoint.ts";
import { endsWire, forOthers, lost } from "./http_errors.ts";
import { type ExchangeOwner, HttpExchange } from "./http_exchange.ts";
import { HttpGate } from "./http_gate.ts";
import { HttpListener } from "./http_listener.ts";
import type { MessageHeaders, OpenWire, Wire, WireEvents } from "./wire.ts";

/** How long the end of a session at the backend is waited for. */
const FAREWELL_MS = 2000;
const INITIALIZED = '"notifications/initialized"';

/**
 * Opens Streamable HTTP. When the first POST is answered 400, 404 or 405, the address may speak HTTP+SSE:
 * the wire closes with `details.more.fallback = "http_sse"`, and the caller may open that instead.
 */
export function openHttp(options: HttpWireOptions): OpenWire {
  return (events) => new HttpWire(new HttpEndpoint(options), events);
}

class HttpWire implements Wire, ExchangeOwner {
  readonly #endpoint: HttpEndpoint;
  readonly #events: WireEvents;
  readonly #exchanges = new Map<number, HttpExchange>();
  readonly #deliveries: HttpDeliveries;
  readonly #listener: HttpListener;
  readonly #gate: HttpGate;
  #first = true;
  #established = false;
  /** `notifications/initialized`, from when it is given to us until the revision is known. */
  #initialized: string | undefined;
  #over = false;
  #closing: Promise<void> | undefined;

  constructor(endpoint: HttpEndpoint, events: WireEvents) {
    this.#endpoint = endpoint;
    this.#events = events;
    this.#deliveries = new HttpDeliveries(endpoint);
    this.#listener = new HttpListener(endpoint, this);
    this.#gate = new HttpGate(
      (text, request, headers) => this.#pass(text, request, headers),
      (request) => this.#refuse(request, "too many messages wait for the handshake"),
    );
  }

  send(text: string, request?: number, headers?: MessageHeaders): void {
    if (this.#over) return this.#refuse(request, "the connection is closed");
    if (request !== undefined || !text.includes(INITIALIZED)) {
      return this.#gate.send(text, request, headers);
    }
    this.#initialized = text;
    this.#gate.hold();
    if (this.#established) void this.#introduce();
  }

  established(revision: string): void {
    this.#endpoint.establish(revision);
    this.#established = true;
    if (this.#initialized !== undefined) void this.#introduce();
  }

  forget(request: number): void {
    this.#gate.forget(request);
    this.#exchanges.get(request)?.forget();
  }

  close(): Promise<void> {
    const lostBefore = this.#over;
    this.#stop();
    return this.#closing ??= lostBefore ? Promise.resolve() : this.#farewell();
  }

  message(message: Message, origin?: number): void {
    if (!this.#over) this.#events.message(message, origin);
  }

  heard(request: number, isOpen: boolean): void {
    if (!this.#over) this.#events.heard?.(request, isOpen);
  }

  failed(request: number, error: SentinelError): void {
    if (!this.#over) this.#events.failed(request, error);
  }

  invalid(sample: string): void {
    if (!this.#over) this.#events.invalid(sample);
  }

  closed(error: SentinelError): void {
    if (this.#over) return;
    this.#stop();
    this.#events.closed(forOthers(error));
  }

  done(request: number): void {
    this.#exchanges.delete(request);
  }

  #pass(text: string, request: number | undefined, headers: MessageHeaders | undefined): void {
    if (request === undefined) return void this.#deliver(text);
    const posting = this.#first ? "initialize" : "legacy";
    const exchange = new HttpExchange(this.#endpoint, this, request, posting);
    this.#exchanges.set(request, exchange);
    void exchange.run(text, headers);
    this.#first = false;
  }

  /** Nobody waits for the outcome. That the backend is away is shown by its calls; what else fails is said. */
  async #deliver(text: string): Promise<void> {
    const error = await this.#deliveries.post(text, undefined);
    if (error === undefined) return;
    if (endsWire(error)) this.closed(error);
    else if (error.code !== "BACKEND_LOST") this.invalid(error.message);
  }

  /**
   * Requests on other connections could overtake the notification, and some backends refuse whatever comes
   * before it: they wait until it is acknowledged. It names the revision, so it waits for `established`.
   */
  async #introduce(): Promise<void> {
    const text = this.#initialized as string;
    this.#initialized = undefined;
    const error = await this.#deliveries.post(text, undefined);
    if (error !== undefined) return this.closed(error);
    if (this.#over) return;
    if (this.#endpoint.listens) {
      void this.#listener.run();
      await this.#listener.opened;
    }
    this.#gate.release();
  }

  #refuse(request: number | undefined, why: string): void {
    if (request === undefined) return this.invalid(`A message was dropped: ${why}`);
    this.#events.failed(request, lost(this.#endpoint.backend, why, "no"));
  }

  #stop(): void {
    this.#over = true;
    this.#listener.stop();
    this.#deliveries.stop();
    for (const exchange of this.#exchanges.values()) exchange.stop();
  }

  /** Ends the session at the backend. That it cannot be told is no failure: sessions expire there. */
  async #farewell(): Promise<void> {
    if (this.#endpoint.session === undefined) return;
    const abort = new AbortController();
    const stop = this.#endpoint.clock.after(FAREWELL_MS, () => abort.abort());
    try {
      (await this.#endpoint.end(abort.signal)).discard();
    } catch {
      // Ignored by design, as said above.
    } finally {
      stop();
    }
  }
}
