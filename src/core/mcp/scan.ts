/**
 * One pass over JSON text before anything is built from it: grammar, depth, number of members, envelope
 * members with their place. Small texts can cost seconds to a parser or serialiser (deep nesting), and
 * duplicate keys make two readers see two messages; both are refused here, for clients and backends alike.
 */
import { SentinelError } from "../../contract/mod.ts";
import { hasControl } from "./control.ts";

/** Deepest nesting accepted; the message itself is level 1. */
export const MAX_DEPTH = 64;
/** Most object members and array elements in one text. */
export const MAX_MEMBERS = 100_000;

const ENVELOPE = ["jsonrpc", "id", "method", "params", "result", "error"] as const;
export type EnvelopeKey = (typeof ENVELOPE)[number];

/** Where the envelope members of one message stand, as JSON text. */
export type Envelope = { readonly [Key in EnvelopeKey]?: string };

/** What a text consists of. */
export interface Scan {
  /** True when the text is an array. */
  readonly batch: boolean;
  readonly envelopes: readonly Envelope[];
  /** A number stands in it that a double may not carry: parse with `parseExact`. */
  readonly wide: boolean;
  /** No control character (line break, tab) stands in it: slices can be framed as they are. */
  readonly compact: boolean;
}

const QUOTE = 34, COMMA = 44, COLON = 58, OPEN_BRACE = 123, OPEN_BRACKET = 91;
const CLOSE_BRACE = 125, CLOSE_BRACKET = 93, MINUS = 45, ZERO = 48, NINE = 57;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
/** Integers and decimals up to this length survive a double; longer ones are kept as text. */
const NARROW = 15;

/**
 * Scans a whole text.
 * @throws SentinelError PARSE (not JSON), INVALID_REQUEST (a bound, a duplicate, not an object)
 */
export function scan(text: string): Scan {
  return new Scanner(text).run();
}

class Scanner {
  readonly #text: string;
  readonly #compact: boolean;
  #pos = 0;
  #members = 0;
  #wide = false;
  /** Something stands where a message should, but it is no object. */
  #foreign = false;
  /** Next backslash at or after the position, so that strings without one end at the next quote. */
  #backslash: number;

  constructor(text: string) {
    this.#text = text;
    this.#compact = !hasControl(text);
    this.#backslash = text.indexOf("\\");
  }

  run(): Scan {
    this.#space();
    const batch = this.#peek() === OPEN_BRACKET;
    const envelopes = batch ? this.#batch() : [this.#envelope()];
    this.#space();
    if (this.#pos < this.#text.length) throw this.#malformed("text after the message");
    if (this.#foreign) {
      throw new SentinelError("INVALID_REQUEST", "Cannot read the message: not a JSON object");
    }
    return { batch, envelopes, wide: this.#wide, compact: this.#compact };
  }

  #batch(): Envelope[] {
    const envelopes: Envelope[] = [];
    this.#list(CLOSE_BRACKET, () => envelopes.push(this.#envelope(2)));
    return envelopes;
  }

  #envelope(depth = 1): Envelope {
    if (this.#peek() !== OPEN_BRACE) {
      this.#value(depth);
      this.#foreign = true;
      return {};
    }
    const envelope: { [Key in EnvelopeKey]?: string } = {};
    this.#list(CLOSE_BRACE, () => {
      const key = this.#key();
      const start = this.#pos;
      this.#value(depth + 1);
      if (!isEnvelopeKey(key)) return;
      if (envelope[key] !== undefined) {
        throw new SentinelError(
          "INVALID_REQUEST",
          `Cannot read the message: "${key}" stands in it twice`,
        );
      }
      envelope[key] = this.#text.slice(start, this.#pos);
    });
    return envelope;
  }

  #value(depth: number): void {
    const char = this.#peek();
    if (char === QUOTE) this.#string();
    else if (char === OPEN_BRACE || char === OPEN_BRACKET) this.#container(char, depth);
    else if (char === MINUS || (char >= ZERO && char <= NINE)) this.#number();
    else this.#literal();
  }

  #container(open: number, depth: number): void {
    if (depth > MAX_DEPTH) {
      throw new SentinelError(
        "INVALID_REQUEST",
        `Cannot read the message: nested deeper than ${MAX_DEPTH}`,
      );
    }
    if (open === OPEN_BRACKET) return this.#list(CLOSE_BRACKET, () => this.#value(depth + 1));
    this.#list(CLOSE_BRACE, () => {
      this.#skipKey();
      this.#value(depth + 1);
    });
  }

  /** Elements or members up to `close`, separated by commas; the opening bracket is at the position. */
  #list(close: number, element: () => void): void {
    this.#pos++;
    this.#space();
    if (this.#peek() === close) {
      this.#pos++;
      return;
    }
    for (;;) {
      if (++this.#members > MAX_MEMBERS) {
        throw new SentinelError(
          "INVALID_REQUEST",
          `Cannot read the message: more than ${MAX_MEMBERS} members`,
        );
      }
      element();
      this.#space();
      const char = this.#peek();
      this.#pos++;
      if (char === close) return;
      if (char !== COMMA) throw this.#malformed("expected a comma or a closing bracket");
      this.#space();
    }
  }

  #key(): string {
    const start = this.#pos;
    this.#skipKeyText();
    const raw = this.#text.slice(start, this.#pos);
    this.#colon();
    return raw.includes("\\") ? JSON.parse(raw) as string : raw.slice(1, -1);
  }

  #skipKey(): void {
    this.#skipKeyText();
    this.#colon();
  }

  #skipKeyText(): void {
    if (this.#peek() !== QUOTE) throw this.#malformed("expected a member name");
    this.#string();
  }

  #colon(): void {
    this.#space();
    if (this.#peek() !== COLON) throw this.#malformed("expected a colon");
    this.#pos++;
    this.#space();
  }

  #string(): void {
    const text = this.#text;
    const start = this.#pos + 1;
    let end = text.indexOf('"', start);
    if (this.#backslash !== -1 && this.#backslash < start) {
      this.#backslash = text.indexOf("\\", start);
    }
    while (this.#backslash !== -1 && this.#backslash < end) {
      ESCAPE.lastIndex = this.#backslash;
      if (!ESCAPE.test(text)) throw this.#malformed("unknown escape in a string");
      const next = ESCAPE.lastIndex;
      if (next > end) end = text.indexOf('"', next);
      this.#backslash = text.indexOf("\\", next);
    }
    if (end === -1) throw this.#malformed("string without end");
    if (!this.#compact && hasControl(text.slice(start, end))) {
      throw this.#malformed("control character in a string");
    }
    this.#pos = end + 1;
  }

  #number(): void {
    NUMBER.lastIndex = this.#pos;
    if (!NUMBER.test(this.#text)) throw this.#malformed("malformed number");
    const token = NUMBER.lastIndex - this.#pos;
    if (token > NARROW || this.#hasExponent(NUMBER.lastIndex)) this.#wide = true;
    this.#pos = NUMBER.lastIndex;
  }

  #hasExponent(end: number): boolean {
    for (let at = this.#pos; at < end; at++) {
      const char = this.#text.charCodeAt(at) | 32;
      if (char === 101) return true;
    }
    return false;
  }

  #literal(): void {
    for (const word of ["true", "false", "null"]) {
      if (!this.#text.startsWith(word, this.#pos)) continue;
      this.#pos += word.length;
      return;
    }
    throw this.#malformed(
      this.#pos < this.#text.length ? "unexpected character" : "text ends too early",
    );
  }

  #space(): void {
    for (;;) {
      const char = this.#text.charCodeAt(this.#pos);
      if (char !== 32 && char !== 10 && char !== 13 && char !== 9) return;
      this.#pos++;
    }
  }

  #peek(): number {
    return this.#text.charCodeAt(this.#pos);
  }

  #malformed(what: string): SentinelError {
    return new SentinelError(
      "PARSE",
      `Cannot parse the message at character ${this.#pos}: ${what}`,
    );
  }
}

function isEnvelopeKey(key: string): key is EnvelopeKey {
  return (ENVELOPE as readonly string[]).includes(key);
}
