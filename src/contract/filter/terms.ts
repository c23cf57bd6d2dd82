/** A filter as text, taken apart. */
import type { SentinelError } from "../errors.ts";

/** One alternative of a term. */
export interface Value {
  readonly text: string;
  /** It stood in quotes: `*` and comparisons have no meaning in it. */
  readonly quoted: boolean;
}

export interface Term {
  readonly excludes: boolean;
  /** Missing for a word. */
  readonly field?: string;
  readonly values: readonly Value[];
}

/** What makes an error of a sentence, and of what helps. */
export type Wrong = (message: string, reason?: string) => SentinelError;

const FIELD = /(-?)([A-Za-z_][\w.]*):/y;
const PLAIN = /[^\s",]+/y;

/** @throws what `wrong` makes */
export function termsOf(text: string, wrong: Wrong): Term[] {
  const reader = new Reader(text, wrong);
  const terms: Term[] = [];
  for (let term = reader.term(); term !== undefined; term = reader.term()) terms.push(term);
  return terms;
}

class Reader {
  readonly #text: string;
  readonly #wrong: Wrong;
  #at = 0;

  constructor(text: string, wrong: Wrong) {
    this.#text = text;
    this.#wrong = wrong;
  }

  term(): Term | undefined {
    this.#take(/\s+/y);
    if (this.#at >= this.#text.length) return undefined;
    const [whole, minus, field] = this.#take(FIELD) ?? [];
    if (whole === undefined || field === undefined) return this.#word();
    const values = this.#values();
    if (values.length > 0) return { excludes: minus === "-", field, values };
    throw this.#wrong(`field ${JSON.stringify(field)} has no value`, `write  ${field}:value`);
  }

  /** A minus alone is a word. */
  #word(): Term {
    const excludes = this.#take(/-(?=[^\s,])/y) !== undefined;
    const values = this.#values();
    if (values.length > 0) return { excludes, values };
    throw this.#wrong("a comma stands between two values", 'write  a,b  or put it in quotes: ","');
  }

  #values(): Value[] {
    const values: Value[] = [];
    do {
      const value = this.#value();
      if (value === undefined) return [];
      values.push(value);
    } while (this.#take(/,/y) !== undefined);
    return values;
  }

  #value(): Value | undefined {
    if (this.#text[this.#at] !== '"') {
      const [text] = this.#take(PLAIN) ?? [];
      return text === undefined ? undefined : { text, quoted: false };
    }
    const [, text] = this.#take(/"([^"]*)"/y) ?? [];
    if (text === undefined) throw this.#wrong("a quote is not closed");
    return { text, quoted: true };
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text) ?? undefined;
    if (match !== undefined) this.#at = pattern.lastIndex;
    return match;
  }
}
