/** One event stream of a backend, read over as many responses as it takes. */
import { SentinelError } from "../../contract/mod.ts";
import type { HttpResponse } from "../../ports/http_client.ts";
import type { Random } from "../../ports/random.ts";
import { type SseEvent, SseReader } from "../mcp/sse.ts";
import { EVENT_STREAM, type HttpEndpoint, isCompressed, mediaType } from "./http_endpoint.ts";
import { unusable, wireError } from "./http_errors.ts";

/** Type of the events that carry JSON-RPC messages. */
export const MESSAGE = "message";

const FIRST_DELAY_MS = 1000;
const GROWTH = 1.5;
const MAX_DELAY_MS = 30_000;
/** Bounds of what a backend may ask for with `retry:`; a timer holds at most 2^31 ms. */
const MIN_HINT_MS = 100;
const MAX_HINT_MS = 300_000;
/** An id goes back in a header: what cannot stand there cannot be resumed from. */
const EVENT_ID = /^[\x20-\x7e]{1,1024}$/;

export class HttpEventStream {
  readonly #endpoint: HttpEndpoint;
  readonly #onData: (data: string, type: string) => void;
  readonly #onBytes: (() => void) | undefined;
  #lastEventId: string | undefined;
  #retryMs: number | undefined;

  /** `onData` gets the data of each event that has any, and its type; `onBytes` is told of whatever comes. */
  constructor(
    endpoint: HttpEndpoint,
    onData: (data: string, type: string) => void,
    onBytes?: () => void,
  ) {
    this.#endpoint = endpoint;
    this.#onData = onData;
    this.#onBytes = onBytes;
  }

  /** Where the backend can go on; undefined when it gave no usable event id. */
  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }

  /** How long to wait before the next connection; `attempt` counts from 0. */
  delay(attempt: number): number {
    return retryDelay(attempt, this.#retryMs, this.#endpoint.random);
  }

  /** Forgets the position: the next connection starts anew. */
  rewind(): void {
    this.#lastEventId = undefined;
  }

  /**
   * Reads one response to its end.
   * @throws SentinelError BACKEND_LOST when it breaks off, BACKEND_PROTOCOL when it is no event stream
   */
  async read(response: HttpResponse): Promise<void> {
    const { streams, maxReply } = this.#endpoint;
    const reader = new SseReader((event) => this.#take(event), maxReply);
    streams?.add(1);
    try {
      await response.read((chunk) => {
        this.#onBytes?.();
        reader.feed(chunk);
        this.#note(reader);
      });
    } catch (thrown) {
      throw this.#named(thrown);
    } finally {
      streams?.add(-1);
    }
  }

  /** The reader knows no backend; its errors get the name here. */
  #named(thrown: unknown): SentinelError {
    const { backend } = this.#endpoint;
    if (!(thrown instanceof SentinelError)) return wireError(backend, thrown);
    return unusable(backend, "its event stream is malformed", thrown.message);
  }

  #take({ event, data }: SseEvent): void {
    // An event without data only carries an id: the backend may be polled from there (2025-11-25).
    if (data !== "") this.#onData(data, event ?? MESSAGE);
  }

  #note({ lastEventId, retryMs }: SseReader): void {
    if (retryMs !== undefined) this.#retryMs = retryMs;
    if (lastEventId === undefined) return;
    this.#lastEventId = EVENT_ID.test(lastEventId) ? lastEventId : undefined;
  }
}

/** Milliseconds until the next try: what the backend asked for, or growing; up to a quarter more by chance. */
function retryDelay(attempt: number, hintMs: number | undefined, random: Random): number {
  const hint = hintMs === undefined ? 0 : Math.min(Math.max(hintMs, MIN_HINT_MS), MAX_HINT_MS);
  const first = hintMs === undefined ? FIRST_DELAY_MS : MIN_HINT_MS;
  const grown = Math.min(first * GROWTH ** attempt, MAX_DELAY_MS);
  return Math.round(Math.max(hint, grown) * (1 + random.fraction() / 4));
}

/**
 * Opens the stream with GET, at `lastEventId` when given.
 * @throws SentinelError with `details.more.status` when the backend answers, but with no event stream
 */
export async function openStream(
  endpoint: HttpEndpoint,
  signal: AbortSignal,
  lastEventId: string | undefined,
): Promise<HttpResponse> {
  let response: HttpResponse;
  try {
    response = await endpoint.open(signal, lastEventId);
  } catch (thrown) {
    throw wireError(endpoint.backend, thrown);
  }
  if (response.status !== 200) {
    throw endpoint.refusal(response, await endpoint.errorBody(response));
  }
  const type = mediaType(response);
  if (type === EVENT_STREAM && !isCompressed(response)) return response;
  response.discard();
  throw unusable(endpoint.backend, `a stream was asked for, "${endpoint.sample(type)}" came`);
}
