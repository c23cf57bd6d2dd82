/** Server-sent events as bytes come in and as text goes out (WHATWG HTML, server-sent events). */
import { createParser, type EventSourceParser, type ParseError } from "eventsource-parser";
import { SentinelError } from "../../contract/mod.ts";

/** Longest event accepted unless the reader is told otherwise, in characters. */
const MAX_EVENT = 4 * 1_048_576;

/** An event of a stream; `event` is undefined for the default type `message`. */
export interface SseEvent {
  readonly id?: string | undefined;
  readonly event?: string | undefined;
  readonly data: string;
}

/** What `sseEvent` writes; `retry` is in milliseconds. */
export interface SseFields extends SseEvent {
  readonly retry?: number;
}

const UNFRAMED = ["\r", "\n", "\0"];

/**
 * Text of one event. `data` may have several lines; each gets its own `data:` field.
 * @throws TypeError when `id` or `event` has a CR, LF or NUL, or `retry` is not a whole number
 */
export function sseEvent({ id, event, data, retry }: SseFields): string {
  let head = "";
  if (id !== undefined) head += `id: ${framed("id", id)}\n`;
  if (event !== undefined) head += `event: ${framed("event", event)}\n`;
  if (retry !== undefined) head += `retry: ${whole(retry)}\n`;
  return `${head}${dataLines(data)}\n`;
}

/**
 * Text of a comment: keeps a stream alive, readers skip it.
 * @throws TypeError when it has a CR, LF or NUL
 */
export function sseComment(text: string): string {
  return `: ${framed("comment", text)}\n\n`;
}

/** Text of an event that only says how many milliseconds to wait before coming back; readers get no message. */
export function sseRetry(ms: number): string {
  return `retry: ${whole(ms)}\n\n`;
}

function dataLines(data: string): string {
  if (!data.includes("\n") && !data.includes("\r")) return `data: ${data}\n`;
  return data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`).join("");
}

/** A line break in these fields would end the field and let its rest pass as fields of its own. */
function framed(field: string, text: string): string {
  if (!UNFRAMED.some((char) => text.includes(char))) return text;
  throw new TypeError(`Cannot write the ${field} of an event: it has a CR, LF or NUL`);
}

function whole(retry: number): number {
  if (Number.isSafeInteger(retry) && retry >= 0) return retry;
  throw new TypeError(
    `Cannot write the retry of an event: current ${retry}, wanted a whole number`,
  );
}

const ASCII_END = 0x80;
/** Serves all readers: it keeps no state as long as no chunk ends within a character. */
const wholeText = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads one stream: `feed` it the bytes, events come as they are complete. A cut event never comes. */
export class SseReader {
  readonly #parser: EventSourceParser;
  #splitText: TextDecoder | undefined;
  #lastEventId: string | undefined;
  #retryMs: number | undefined;

  /** `maxEvent` bounds one event, in characters. */
  constructor(onEvent: (event: SseEvent) => void, maxEvent: number = MAX_EVENT) {
    this.#parser = createParser({
      maxBufferSize: maxEvent,
      onEvent,
      onId: (id) => void (this.#lastEventId = id),
      onRetry: (ms) => void (this.#retryMs = ms),
      onError: (error) => refuseOversize(error, maxEvent),
    });
  }

  /** Id of the latest event that had one, also of an event without data. Empty: the server reset it. */
  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }

  /** How long the server wants a client to wait before it returns, in milliseconds. */
  get retryMs(): number | undefined {
    return this.#retryMs;
  }

  /**
   * Takes the next bytes.
   * @throws SentinelError BACKEND_PROTOCOL when an event is too long or the bytes are not UTF-8
   */
  feed(chunk: Uint8Array): void {
    this.#parser.feed(this.#decode(chunk));
  }

  #decode(chunk: Uint8Array): string {
    try {
      const complete = (chunk.at(-1) ?? 0) < ASCII_END;
      if (complete && this.#splitText === undefined) return wholeText.decode(chunk);
      this.#splitText ??= new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      return this.#splitText.decode(chunk, { stream: true });
    } catch (cause) {
      throw new SentinelError(
        "BACKEND_PROTOCOL",
        "Cannot read the event stream: not UTF-8",
        {},
        cause,
      );
    }
  }
}

/** Unknown fields and malformed retry hints are to be ignored, says the standard. */
function refuseOversize(error: ParseError, maxEvent: number): void {
  if (error.type !== "max-buffer-size-exceeded") return;
  throw new SentinelError(
    "BACKEND_PROTOCOL",
    `Cannot read the event stream: an event is longer than ${maxEvent} characters`,
  );
}
