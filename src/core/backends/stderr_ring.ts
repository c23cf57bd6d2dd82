/**
 * The last of what a backend's processes wrote to stderr. Bytes are only copied and counted when they
 * come; decoding, masking and escaping is done for the few who look, so a noisy child costs next to nothing.
 */
import { printable } from "./printable.ts";

const CAPACITY = 256_000;
const MAX_LINES = 200;
/** Longest line shown; the mask sees whole lines, so no half of a secret is left by the cut. */
const LINE_LENGTH = 2000;
const LINE_FEED = 10;

export class StderrRing {
  readonly #mask: (text: string) => string;
  readonly #onLines: (count: number) => void;
  #ring: Uint8Array | undefined;
  /** Bytes ever written; the next one goes to `#written % CAPACITY`. */
  #written = 0;
  #lines = 0;
  #midLine = false;
  /** Status is asked for more often than most children write. */
  #shown: { readonly written: number; readonly lines: readonly string[] } = {
    written: 0,
    lines: [],
  };

  /** `mask` replaces known secrets in a text of whole lines; `onLines` is told of lines as they end. */
  constructor(mask: (text: string) => string, onLines: (count: number) => void = () => {}) {
    this.#mask = mask;
    this.#onLines = onLines;
  }

  /** Lines ever written. */
  get lines(): number {
    return this.#lines + (this.#midLine ? 1 : 0);
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#store(chunk);
    let ended = 0;
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, at + 1)) {
      ended++;
    }
    this.#lines += ended;
    if (ended > 0) this.#onLines(ended);
    this.#midLine = chunk.at(-1) !== LINE_FEED;
  }

  /** A process ended: the next one begins on a line of its own. */
  end(): void {
    if (this.#midLine) this.push(Uint8Array.of(LINE_FEED));
  }

  /** At most `count` (never more than 200) last lines, oldest first, masked and escaped. */
  tail(count: number): string[] {
    if (this.#shown.written !== this.#written) {
      this.#shown = { written: this.#written, lines: this.#show() };
    }
    return count <= 0 ? [] : this.#shown.lines.slice(-count);
  }

  #show(): string[] {
    const lines = this.#mask(this.#text()).split("\n");
    if (lines.at(-1) === "") lines.pop();
    return lines.slice(-MAX_LINES)
      .map((line) => printable(line.endsWith("\r") ? line.slice(0, -1) : line, LINE_LENGTH));
  }

  /** Everything kept, without the line whose beginning is lost. */
  #text(): string {
    if (this.#ring === undefined) return "";
    const decoder = new TextDecoder();
    if (this.#written <= CAPACITY) return decoder.decode(this.#ring.subarray(0, this.#written));
    const oldest = this.#written % CAPACITY;
    const text = decoder.decode(this.#ring.subarray(oldest), { stream: true }) +
      decoder.decode(this.#ring.subarray(0, oldest));
    const firstEnd = text.indexOf("\n");
    // Without any line end: skip enough that no second half of a secret is shown.
    return text.slice(firstEnd === -1 ? LINE_LENGTH : firstEnd + 1);
  }

  #store(chunk: Uint8Array): void {
    this.#ring ??= new Uint8Array(CAPACITY);
    const last = chunk.subarray(-CAPACITY);
    this.#written += chunk.length - last.length;
    const at = this.#written % CAPACITY;
    const untilEnd = last.subarray(0, CAPACITY - at);
    this.#ring.set(untilEnd, at);
    this.#ring.set(last.subarray(untilEnd.length), 0);
    this.#written += last.length;
  }
}
