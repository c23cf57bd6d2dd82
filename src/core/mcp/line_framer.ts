/**
 * Bytes of a pipe to lines of text, in linear time and bounded memory: bytes of an unfinished line are
 * copied once into a buffer that doubles up to the limit, however small the chunks are.
 */

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const EMPTY = new Uint8Array(0);
const SMALLEST_BUFFER = 4096;
/** A buffer grown beyond this by one long line is given back after it. */
const KEPT_BUFFER = 65_536;
/** Bytes of an over-long line that are shown, from its beginning and from its end. */
const SHOWN = 1024;

export interface LineEvents {
  /** A line, without its line end. */
  line(text: string): void;
  /** A line that is not UTF-8; `sample` is its beginning, decoded as far as possible. */
  undecodable(sample: string): void;
  /** A line passed the limit; the rest of it is dropped as it comes. */
  overflow(head: string): void;
  /** The line reported with `overflow` has ended. */
  dropped(tail: string): void;
}

/** Splits chunks at LF (CR before it is removed). A byte order mark is removed, as decoders do. */
export class LineFramer {
  readonly #maxBytes: number;
  readonly #events: LineEvents;
  readonly #strict = new TextDecoder("utf-8", { fatal: true });
  readonly #lenient = new TextDecoder();
  #buffer: Uint8Array = EMPTY;
  #length = 0;
  /** End of the line being dropped; undefined while none is. */
  #tail: Uint8Array | undefined;

  /** `maxBytes` is the longest line, without its line end. */
  constructor(maxBytes: number, events: LineEvents) {
    this.#maxBytes = maxBytes;
    this.#events = events;
  }

  push(chunk: Uint8Array): void {
    let start = 0;
    let end = chunk.indexOf(LINE_FEED);
    while (end !== -1) {
      this.#finish(chunk.subarray(start, end));
      start = end + 1;
      end = chunk.indexOf(LINE_FEED, start);
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** The pipe has ended: what stands behind the last line feed is a line too. */
  end(): void {
    if (this.#length > 0 || this.#tail !== undefined) this.#finish(EMPTY);
  }

  /** `segment` completes the line. */
  #finish(segment: Uint8Array): void {
    const whole = this.#length === 0 && this.#tail === undefined;
    if (whole && segment.length <= this.#maxBytes) return this.#emit(segment);
    this.#keep(segment);
    if (this.#tail === undefined) this.#emit(this.#buffer.subarray(0, this.#length));
    else this.#events.dropped(this.#lenient.decode(this.#tail));
    this.#reset();
  }

  /** `segment` belongs to the line, which goes on. */
  #keep(segment: Uint8Array): void {
    if (this.#tail !== undefined) {
      this.#tail = endOf(this.#tail, segment);
    } else if (this.#length + segment.length > this.#maxBytes) {
      this.#overflow(segment);
    } else {
      this.#reserve(this.#length + segment.length);
      this.#buffer.set(segment, this.#length);
      this.#length += segment.length;
    }
  }

  #overflow(segment: Uint8Array): void {
    const kept = this.#buffer.subarray(0, this.#length);
    this.#events.overflow(this.#lenient.decode(startOf(kept, segment)));
    this.#tail = endOf(kept, segment);
    this.#buffer = EMPTY;
    this.#length = 0;
  }

  #reserve(size: number): void {
    if (size <= this.#buffer.length) return;
    const doubled = Math.min(this.#maxBytes, Math.max(SMALLEST_BUFFER, this.#buffer.length * 2));
    const grown = new Uint8Array(Math.max(size, doubled));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }

  #emit(bytes: Uint8Array): void {
    const line = bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
    const text = this.#decode(line);
    if (text !== undefined) this.#events.line(text);
    else this.#events.undecodable(this.#lenient.decode(line.subarray(0, SHOWN)));
  }

  #decode(line: Uint8Array): string | undefined {
    try {
      return this.#strict.decode(line);
    } catch {
      return undefined; // the only error of a decoder: not UTF-8
    }
  }

  #reset(): void {
    this.#length = 0;
    this.#tail = undefined;
    if (this.#buffer.length > KEPT_BUFFER) this.#buffer = EMPTY;
  }
}

function startOf(first: Uint8Array, second: Uint8Array): Uint8Array {
  return join(first.subarray(0, SHOWN), second.subarray(0, SHOWN)).subarray(0, SHOWN);
}

function endOf(first: Uint8Array, second: Uint8Array): Uint8Array {
  return join(first.subarray(-SHOWN), second.subarray(-SHOWN)).slice(-SHOWN);
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
