/**
 * Streamable HTTP as client, since revision 2026-07-28: every message is a POST of its own. There is no
 * session and no stream beside those of requests, and the end of an exchange is its cancellation.
 */
import type { SentinelError } from "../../contract/mod.ts";
import { LATEST_MODERN, LISTEN } from "../mcp/envelope.ts";
import type { Message } from "../mcp/message.ts";
import { DISCOVER } from "./dialect.ts";
import { HttpEndpoint, type HttpWireOptions } from "./http_endpoint.ts";
import { forOthers, lost } from "./http_errors.ts";
import { type ExchangeOwner, HttpExchange, type Posting } from "./http_exchange.ts";
import type { MessageHeaders, OpenWire, Wire, WireEvents } from "./wire.ts";

const POSTINGS: { readonly [method: string]: Posting } = {
  [DISCOVER]: "discover",
  [LISTEN]: "listen",
};

/** Opens Streamable HTTP of the modern era. Nothing is sent before the first message. */
export function openModernHttp(options: HttpWireOptions): OpenWire {
  return (events) => new HttpModernWire(new HttpEndpoint(options), events);
}

class HttpModernWire implements Wire, ExchangeOwner {
  readonly #endpoint: HttpEndpoint;
  readonly #events: WireEvents;
  readonly #exchanges = new Map<number, HttpExchange>();
  #over = false;

  constructor(endpoint: HttpEndpoint, events: WireEvents) {
    this.#endpoint = endpoint;
    this.#events = events;
    endpoint.establish(LATEST_MODERN);
  }

  /** Only requests: the protocol has no notification of clients over HTTP. */
  send(text: string, request?: number, headers: MessageHeaders = {}): void {
    if (request === undefined) return;
    const { backend } = this.#endpoint;
    if (this.#over) {
      return this.#events.failed(request, lost(backend, "the connection is closed", "no"));
    }
    const posting = POSTINGS[headers["mcp-method"] ?? ""] ?? "modern";
    const exchange = new HttpExchange(this.#endpoint, this, request, posting);
    this.#exchanges.set(request, exchange);
    void exchange.run(text, headers);
  }

  established(): void {}

  forget(request: number): void {
    this.#exchanges.get(request)?.forget();
  }

  close(): Promise<void> {
    this.#stop();
    return Promise.resolve();
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

  /** One of the exchanges says that no other can succeed. */
  closed(error: SentinelError): void {
    if (this.#over) return;
    this.#stop();
    this.#events.closed(forOthers(error));
  }

  done(request: number): void {
    this.#exchanges.delete(request);
  }

  #stop(): void {
    this.#over = true;
    for (const exchange of this.#exchanges.values()) exchange.stop();
  }
}
