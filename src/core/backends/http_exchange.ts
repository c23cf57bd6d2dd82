/** One request over Streamable HTTP: POST, then one JSON answer or a stream that ends with the answer. */
import { SentinelError } from "../../contract/mod.ts";
import type { Cancel } from "../../ports/clock.ts";
import type { HttpResponse } from "../../ports/http_client.ts";
import type { Message } from "../mcp/message.ts";
import {
  EVENT_STREAM,
  type HttpEndpoint,
  isCompressed,
  JSON_TYPE,
  mediaType,
} from "./http_endpoint.ts";
import {
  endsWire,
  forOthers,
  isEvidence,
  isTransient,
  lost,
  unusable,
  wireError,
  withFallback,
} from "./http_errors.ts";
import { messagesOf } from "./http_messages.ts";
import { Pause } from "./http_pause.ts";
import { HttpEventStream, MESSAGE, openStream } from "./http_stream.ts";
import type { MessageHeaders, WireEvents } from "./wire.ts";

/** The backend should end the stream after the answer; a connection is not held longer than this for it. */
const LINGER_MS = 1000;
/** Tries in a row to get back to a stream that broke. */
const MAX_RETURNS = 5;
/** Statuses of an initialize that make a client look for HTTP+SSE (specification, backwards compatibility). */
const OTHER_TRANSPORT = [400, 404, 405];
const UNKNOWN_SESSION = /"code":\s*-32001\b/;

/**
 * What is posted. `initialize` opens a session and may find another transport; `legacy` streams that break
 * can be resumed; `discover` asks for the era, of which some statuses say nothing whatever the body is;
 * `listen` lasts, so it takes no connection from calls.
 */
export type Posting = "initialize" | "legacy" | "discover" | "modern" | "listen";

/** Since 2026-07-28 a stream that broke is gone. */
const RESUMED: readonly Posting[] = ["initialize", "legacy"];

/** What an exchange reports to. */
export interface ExchangeOwner extends WireEvents {
  /** The exchange has ended, however it went. */
  done(request: number): void;
}

export class HttpExchange {
  readonly #endpoint: HttpEndpoint;
  readonly #owner: ExchangeOwner;
  readonly #request: number;
  /** Id of the request as JSON text, as its answer carries it. */
  readonly #id: string;
  readonly #posting: Posting;
  readonly #abort = new AbortController();
  /** Answered, failed or forgotten: nothing more is reported as failure. */
  #over = false;
  #stream: HttpEventStream | undefined;
  #pause: Pause | undefined;
  #stopLinger: Cancel | undefined;

  constructor(endpoint: HttpEndpoint, owner: ExchangeOwner, request: number, posting: Posting) {
    this.#endpoint = endpoint;
    this.#owner = owner;
    this.#request = request;
    this.#id = String(request);
    this.#posting = posting;
  }

  /** Sends the request and reports what comes. Never rejects. */
  async run(text: string, headers?: MessageHeaders): Promise<void> {
    try {
      const queued = this.#posting !== "listen";
      const response = await this.#endpoint.post(text, this.#abort.signal, queued, headers);
      if (this.#posting === "initialize") this.#endpoint.adopt(response);
      await this.#receive(response);
    } catch (thrown) {
      this.#fail(wireError(this.#endpoint.backend, thrown));
    }
    this.#stopLinger?.();
    this.#owner.done(this.#request);
  }

  /** Nobody waits any more: frees the connection. After the answer the stream may end by itself. */
  forget(): void {
    if (!this.#over) this.stop();
  }

  /** Ends everything at once. */
  stop(): void {
    this.#over = true;
    this.#abort.abort();
    this.#pause?.cut();
  }

  async #receive(response: HttpResponse): Promise<void> {
    const { backend } = this.#endpoint;
    if (response.status < 200 || response.status > 299) return await this.#refused(response);
    const type = mediaType(response);
    if (!isCompressed(response)) {
      if (type === JSON_TYPE) return await this.#readJson(response);
      if (type === EVENT_STREAM) return await this.#readStream(response);
    }
    response.discard();
    if (isCompressed(response)) {
      throw unusable(backend, "it is compressed although identity was asked for");
    }
    const current = type === "" ? "no content type" : `"${this.#endpoint.sample(type)}"`;
    throw unusable(
      backend,
      `current ${current} (status ${response.status}), wanted JSON or an event stream`,
    );
  }

  async #readJson(response: HttpResponse): Promise<void> {
    const text = await response.text(this.#endpoint.maxReply);
    const problem = this.#deliver(text);
    if (this.#over) return;
    const what = problem === undefined
      ? "it does not answer the request"
      : "it is no JSON-RPC message";
    throw unusable(this.#endpoint.backend, what, problem?.message ?? this.#endpoint.sample(text));
  }

  async #readStream(first: HttpResponse): Promise<void> {
    const stream = new HttpEventStream(
      this.#endpoint,
      (data, type) => this.#take(data, type),
      () => this.#heard(true),
    );
    this.#stream = stream;
    for (let response = first;; response = await this.#comeBack(stream)) {
      this.#heard(true);
      const broken = await this.#readOnce(stream, response);
      this.#heard(false);
      if (this.#over) return;
      if (broken !== undefined && broken.code !== "BACKEND_LOST") throw broken;
    }
  }

  async #readOnce(
    stream: HttpEventStream,
    response: HttpResponse,
  ): Promise<SentinelError | undefined> {
    try {
      await stream.read(response);
      return undefined;
    } catch (thrown) {
      return wireError(this.#endpoint.backend, thrown);
    }
  }

  /** Goes on with GET where the stream stopped, as a broken or polled one asks (revision 2025-11-25). */
  async #comeBack(stream: HttpEventStream): Promise<HttpResponse> {
    const { backend, clock } = this.#endpoint;
    if (stream.lastEventId === undefined || !RESUMED.includes(this.#posting)) {
      throw lost(backend, "its stream ended before the answer", "unknown");
    }
    this.#pause ??= new Pause(clock);
    for (let attempt = 0; attempt < MAX_RETURNS; attempt++) {
      await this.#pause.wait(stream.delay(attempt));
      if (this.#over) break;
      try {
        return await openStream(this.#endpoint, this.#abort.signal, stream.lastEventId);
      } catch (thrown) {
        const error = wireError(backend, thrown);
        if (endsWire(error)) throw forOthers(error);
        if (!isTransient(error)) break;
      }
    }
    throw lost(backend, "its stream ended before the answer and could not be resumed", "unknown");
  }

  #heard(isOpen: boolean): void {
    if (!this.#over && this.#posting !== "listen") this.#owner.heard?.(this.#request, isOpen);
  }

  #take(data: string, type: string): void {
    if (type !== MESSAGE) return;
    if (this.#deliver(data) !== undefined) this.#owner.invalid(this.#endpoint.sample(data));
  }

  /** Reports the messages of a text; returns what is wrong with it. */
  #deliver(text: string): SentinelError | undefined {
    const messages = messagesOf(text);
    if (messages instanceof SentinelError) return messages;
    for (const message of messages) this.#report(message);
    return undefined;
  }

  #report(message: Message): void {
    if (!this.#over && message.kind === "response" && message.id === this.#id) this.#answered();
    this.#owner.message(message, this.#request);
  }

  #answered(): void {
    this.#over = true;
    if (this.#stream === undefined) return;
    this.#stopLinger = this.#endpoint.clock.after(LINGER_MS, () => this.#abort.abort());
  }

  async #refused(response: HttpResponse): Promise<void> {
    const body = response.status < 400 ? "" : await this.#endpoint.errorBody(response);
    if (response.status < 400) response.discard();
    if (this.#isAnswer(response, body)) return void this.#deliver(body);
    const error = this.#endpoint.refusal(response, body);
    const mayBeOther = this.#posting === "initialize" && OTHER_TRANSPORT.includes(response.status);
    throw mayBeOther ? withFallback(error) : error;
  }

  /** Some backends send JSON-RPC errors with an error status. That the session is unknown is no such answer. */
  #isAnswer(response: HttpResponse, body: string): boolean {
    if (mediaType(response) !== JSON_TYPE) return false;
    if (this.#posting === "discover" && !isEvidence(response.status)) return false;
    const messages = messagesOf(body);
    if (messages instanceof SentinelError) return false;
    const [message] = messages;
    if (message?.kind !== "response" || message.id !== this.#id) return false;
    if (message.error === undefined) return false;
    return response.status !== 404 || !UNKNOWN_SESSION.test(message.error);
  }

  #fail(error: SentinelError): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.failed(this.#request, error);
    if (endsWire(error)) this.#owner.closed(error);
  }
}
