/** The GET stream of a Streamable HTTP session: messages that belong to no request. */
import { SentinelError } from "../../contract/mod.ts";
import type { HttpResponse } from "../../ports/http_client.ts";
import type { HttpEndpoint } from "./http_endpoint.ts";
import { endsWire, isTransient, wireError } from "./http_errors.ts";
import { Pause } from "./http_pause.ts";
import { messagesOf } from "./http_messages.ts";
import { HttpEventStream, MESSAGE, openStream } from "./http_stream.ts";
import { NO_REQUEST, type WireEvents } from "./wire.ts";

/** A connection that lasted this long, or brought an event, was a good one: the waits start small again. */
const GOOD_MS = 10_000;
/** A backend that does not send the head of its stream before the first event is not waited for. */
const OPEN_MS = 500;
/** No stream is offered. */
const NOT_OFFERED = 405;
/** The backend still holds the stream of a connection that we know is gone. */
const STILL_OPEN = 409;

export class HttpListener {
  readonly #endpoint: HttpEndpoint;
  readonly #events: WireEvents;
  readonly #stream: HttpEventStream;
  readonly #pause: Pause;
  readonly #abort = new AbortController();
  /** Resolves when the stream is open or refused: what a backend asks before that would be lost. */
  readonly opened: Promise<void>;
  readonly #settleOpened: () => void;
  #heard = false;

  constructor(endpoint: HttpEndpoint, events: WireEvents) {
    this.#endpoint = endpoint;
    this.#events = events;
    this.#pause = new Pause(endpoint.clock);
    this.#stream = new HttpEventStream(endpoint, (data, type) => this.#take(data, type));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.opened = promise;
    this.#settleOpened = resolve;
  }

  /** Listens until `stop`, coming back whenever the stream ends. Ends when none is offered. Never rejects. */
  async run(): Promise<void> {
    const { clock } = this.#endpoint;
    const stopWaiting = clock.after(OPEN_MS, this.#settleOpened);
    void this.opened.then(stopWaiting);
    for (let attempt = 0;; attempt++) {
      const start = clock.monotonic();
      this.#heard = false;
      if (!await this.#listen()) return;
      if (this.#heard || clock.monotonic() - start >= GOOD_MS) attempt = 0;
      await this.#pause.wait(this.#stream.delay(attempt));
      if (this.#stopped) return;
    }
  }

  stop(): void {
    this.#abort.abort();
    this.#settleOpened();
    this.#pause.cut();
  }

  get #stopped(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Reads one connection to its end; true when another one may be tried. */
  async #listen(): Promise<boolean> {
    const { backend } = this.#endpoint;
    let response: HttpResponse;
    try {
      response = await openStream(this.#endpoint, this.#abort.signal, this.#stream.lastEventId);
    } catch (thrown) {
      return !this.#stopped && this.#refused(wireError(backend, thrown));
    } finally {
      this.#settleOpened();
    }
    try {
      await this.#stream.read(response);
    } catch (thrown) {
      this.#broken(wireError(backend, thrown));
    }
    return !this.#stopped;
  }

  #refused(error: SentinelError): boolean {
    const status = error.details.more?.["status"];
    if (endsWire(error)) this.#events.closed(error);
    else if (isTransient(error) || status === STILL_OPEN) return true;
    else if (this.#stream.lastEventId !== undefined) {
      // The position may be what it does not know any more.
      this.#stream.rewind();
      return true;
    } else if (status !== NOT_OFFERED) this.#events.invalid(error.message);
    return false;
  }

  #broken(error: SentinelError): void {
    if (this.#stopped || isTransient(error)) return;
    this.#events.invalid(error.message);
    // What could not be read would come again from the same position.
    this.#stream.rewind();
  }

  #take(data: string, type: string): void {
    this.#heard = true;
    if (type !== MESSAGE) return;
    const messages = messagesOf(data);
    if (messages instanceof SentinelError) return this.#events.invalid(this.#endpoint.sample(data));
    for (const message of messages) this.#events.message(message, NO_REQUEST);
  }
}
