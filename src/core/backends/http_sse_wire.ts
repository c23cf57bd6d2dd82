/** HTTP+SSE as client, revision 2024-11-05: one stream with everything the backend says, POST for the rest. */
import { SentinelError } from "../../contract/mod.ts";
import { HttpDeliveries } from "./http_deliveries.ts";
import { HttpEndpoint, type HttpWireOptions } from "./http_endpoint.ts";
import { endsWire, forOthers, lost, unusable, wireError } from "./http_errors.ts";
import { HttpGate } from "./http_gate.ts";
import { messagesOf } from "./http_messages.ts";
import { HttpEventStream, MESSAGE, openStream } from "./http_stream.ts";
import type { MessageHeaders, OpenWire, Wire, WireEvents } from "./wire.ts";

const INITIALIZED = '"notifications/initialized"';

/** Opens HTTP+SSE. Messages wait until the backend has said where to post them. */
export function openHttpSse(options: HttpWireOptions): OpenWire {
  return (events) => new HttpSseWire(options, events);
}

class HttpSseWire implements Wire {
  readonly #url: URL;
  readonly #endpoint: HttpEndpoint;
  readonly #events: WireEvents;
  readonly #deliveries: HttpDeliveries;
  readonly #gate: HttpGate;
  readonly #abort = new AbortController();
  #addressed = false;
  #over = false;

  constructor(options: HttpWireOptions, events: WireEvents) {
    this.#url = options.url;
    this.#endpoint = new HttpEndpoint(options);
    this.#events = events;
    this.#deliveries = new HttpDeliveries(this.#endpoint);
    this.#gate = new HttpGate(
      (text, request, headers) => void this.#post(text, request, headers),
      (request) => this.#refuse(request, "too many messages wait for the handshake"),
    );
    this.#gate.hold();
    void this.#listen();
  }

  send(text: string, request?: number, headers?: MessageHeaders): void {
    if (this.#over) return this.#refuse(request, "the connection is closed");
    this.#gate.send(text, request, headers);
  }

  established(revision: string): void {
    this.#endpoint.establish(revision);
  }

  forget(request: number): void {
    this.#gate.forget(request);
    this.#deliveries.forget(request);
  }

  /** The end of the stream is the end of the session. */
  close(): Promise<void> {
    this.#stop();
    return Promise.resolve();
  }

  async #listen(): Promise<void> {
    const { backend } = this.#endpoint;
    const stream = new HttpEventStream(this.#endpoint, (data, type) => this.#take(data, type));
    try {
      await stream.read(await openStream(this.#endpoint, this.#abort.signal, undefined));
      this.#closed(lost(backend, "its stream ended", "unknown"));
    } catch (thrown) {
      this.#closed(wireError(backend, thrown));
    }
  }

  #take(data: string, type: string): void {
    if (this.#over) return;
    if (type === "endpoint") return this.#address(data);
    if (type !== MESSAGE) return;
    const messages = messagesOf(data);
    if (messages instanceof SentinelError) {
      return this.#events.invalid(this.#endpoint.sample(data));
    }
    for (const message of messages) this.#events.message(message);
  }

  /** Where to post to; at another origin our headers would reach a stranger. */
  #address(data: string): void {
    if (this.#addressed) return;
    const { backend } = this.#endpoint;
    const url = URL.canParse(data, this.#url) ? new URL(data, this.#url) : undefined;
    if (url?.origin !== this.#url.origin) {
      const sample = this.#endpoint.sample(data);
      return this.#closed(unusable(backend, "it names an endpoint of another origin", sample));
    }
    this.#addressed = true;
    this.#endpoint.postUrl = url;
    this.#gate.release();
  }

  /** What comes after `notifications/initialized` waits for it, as over Streamable HTTP. */
  async #post(
    text: string,
    request: number | undefined,
    headers: MessageHeaders | undefined,
  ): Promise<void> {
    const introduces = request === undefined && text.includes(INITIALIZED);
    if (introduces) this.#gate.hold();
    const error = await this.#deliveries.post(text, request, headers);
    if (this.#over) return;
    if (introduces) this.#gate.release();
    if (error !== undefined) this.#undelivered(error, request, introduces);
  }

  #undelivered(error: SentinelError, request: number | undefined, introduces: boolean): void {
    if (request !== undefined) this.#events.failed(request, error);
    if (introduces || endsWire(error)) this.#closed(error);
    // That the backend is away is shown by its calls.
    else if (request === undefined && error.code !== "BACKEND_LOST") {
      this.#events.invalid(error.message);
    }
  }

  #refuse(request: number | undefined, why: string): void {
    if (request !== undefined) {
      this.#events.failed(request, lost(this.#endpoint.backend, why, "no"));
    } else if (!this.#over) this.#events.invalid(`A message was dropped: ${why}`);
  }

  #closed(error: SentinelError): void {
    if (this.#over) return;
    this.#stop();
    this.#events.closed(forOthers(error));
  }

  #stop(): void {
    this.#over = true;
    this.#abort.abort();
    this.#deliveries.stop();
  }
}
