/** What all exchanges of one HTTP wire share: address, headers built once per change, bounds. */
import type { SentinelError } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { HttpClient, HttpResponse } from "../../ports/http_client.ts";
import type { Random } from "../../ports/random.ts";
import type { Series } from "../../ports/telemetry.ts";
import { revisionOf } from "../mcp/revisions.ts";
import { statusError, unusable } from "./http_errors.ts";
import { printable } from "./printable.ts";
import type { MessageHeaders } from "./wire.ts";

export interface HttpWireOptions {
  /** The backend's name, for errors. */
  readonly backend: string;
  readonly url: URL;
  /** Configured headers; sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly random: Random;
  /** Replaces known secrets in a text; error bodies of backends may repeat our headers. */
  readonly mask: (text: string) => string;
  /** Longest answer (bytes) and longest event (characters) accepted; default 16 MiB. */
  readonly maxReplyBytes?: number;
  /** Counts the event streams that are open. */
  readonly streams?: Series;
  /** False: the stream of messages that belong to no request is not opened. Default true. */
  readonly listens?: boolean;
}

export const JSON_TYPE = "application/json";
export const EVENT_STREAM = "text/event-stream";

const MAX_REPLY = 16 * 1_048_576;
const MAX_ERROR_BODY = 65_536;
const SAMPLE = 200;
/** Visible ASCII (specification 2025-03-26, session management). */
const SESSION_ID = /^[\x21-\x7e]{1,1024}$/;

type Headers = Readonly<Record<string, string>>;

export class HttpEndpoint {
  readonly backend: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly maxReply: number;
  readonly streams: Series | undefined;
  readonly listens: boolean;
  /** Where messages are posted; HTTP+SSE learns it from the backend. */
  postUrl: URL;
  readonly #url: URL;
  readonly #http: HttpClient;
  readonly #mask: (text: string) => string;
  readonly #configured: Headers;
  #session: string | undefined;
  #revision: string | undefined;
  #postHeaders: Headers = {};
  #streamHeaders: Headers = {};

  constructor(options: HttpWireOptions) {
    this.backend = options.backend;
    this.clock = options.clock;
    this.random = options.random;
    this.maxReply = options.maxReplyBytes ?? MAX_REPLY;
    this.streams = options.streams;
    this.listens = options.listens ?? true;
    this.postUrl = options.url;
    this.#url = options.url;
    this.#http = options.http;
    this.#mask = options.mask;
    this.#configured = lowerCased(options.headers);
    this.#build();
  }

  get session(): string | undefined {
    return this.#session;
  }

  /**
   * Names the session from now on, when the answer opened one.
   * @throws SentinelError BACKEND_PROTOCOL when the id is not one
   */
  adopt(response: HttpResponse): void {
    const session = response.header("mcp-session-id");
    if (session === undefined) return;
    if (!SESSION_ID.test(session)) {
      throw unusable(this.backend, "its session id is not visible ASCII");
    }
    this.#session = session;
    this.#build();
  }

  /** Names the negotiated revision from now on. */
  establish(revision: string): void {
    this.#revision = revisionOf(revision).versionHeader ? revision : undefined;
    this.#build();
  }

  /** `own`: headers of this message alone. */
  post(
    body: string,
    signal: AbortSignal,
    queued: boolean,
    own?: MessageHeaders,
  ): Promise<HttpResponse> {
    const headers = own === undefined ? this.#postHeaders : { ...this.#postHeaders, ...own };
    return this.#http.send({ method: "POST", url: this.postUrl, headers, body, signal, queued });
  }

  open(signal: AbortSignal, lastEventId?: string): Promise<HttpResponse> {
    const headers = lastEventId === undefined
      ? this.#streamHeaders
      : { ...this.#streamHeaders, "last-event-id": lastEventId };
    return this.#http.send({ method: "GET", url: this.#url, headers, signal });
  }

  /** Ends the session at the backend. */
  end(signal: AbortSignal): Promise<HttpResponse> {
    return this.#http.send({
      method: "DELETE",
      url: this.#url,
      headers: this.#streamHeaders,
      signal,
    });
  }

  /** Body of an error answer; empty when it cannot be read: the status alone says enough then. */
  async errorBody(response: HttpResponse): Promise<string> {
    try {
      return await response.text(MAX_ERROR_BODY);
    } catch {
      return "";
    }
  }

  /** The error for an answer whose status is not a success. */
  refusal(response: HttpResponse, body: string): SentinelError {
    return statusError({
      backend: this.backend,
      response,
      sample: this.sample(body),
      inSession: this.#session !== undefined,
    });
  }

  /** The first 200 characters of foreign text, without our secrets, safe to show. */
  sample(text: string): string {
    return printable(this.#mask(text), SAMPLE);
  }

  #build(): void {
    const shared = {
      "user-agent": "mcp-sentinel",
      ...this.#configured,
      // A compressed answer could be small on the wire and huge here (trust.md A7).
      "accept-encoding": "identity",
      ...(this.#session === undefined ? {} : { "mcp-session-id": this.#session }),
      ...(this.#revision === undefined ? {} : { "mcp-protocol-version": this.#revision }),
    };
    this.#streamHeaders = { ...shared, accept: EVENT_STREAM };
    this.#postHeaders = {
      ...shared,
      accept: `${JSON_TYPE}, ${EVENT_STREAM}`,
      "content-type": JSON_TYPE,
    };
  }
}

/** Header names compare without case; ours must replace configured ones, not stand beside them. */
function lowerCased(headers: Headers): Headers {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

/** Media type of an answer without its parameters, lower case. */
export function mediaType(response: HttpResponse): string {
  const header = response.header("content-type") ?? "";
  const end = header.indexOf(";");
  return (end === -1 ? header : header.slice(0, end)).trim().toLowerCase();
}

/** True when the answer is compressed although every request asks for identity. */
export function isCompressed(response: HttpResponse): boolean {
  const encoding = response.header("content-encoding");
  return encoding !== undefined && encoding !== "" && encoding.toLowerCase() !== "identity";
}
