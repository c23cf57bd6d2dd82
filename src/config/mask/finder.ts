/** Finds many texts in one pass that skips most of it (Wu and Manber): the time hardly grows with their number. */
import type { Form } from "./forms.ts";

export interface Range {
  readonly start: number;
  /** Behind the last character. */
  readonly end: number;
}

const BASE = 0x01000193;
/** Spreads a hash over the bits of a table. */
const SPREAD = 0x9e3779b1;
/** Longest beginning of a form that is looked for; what follows is compared then. */
const MAX_WINDOW = 32;
/** Characters that decide how far to skip. */
const BLOCK = 3;
const TABLE_BITS = 15;

/** Longest form first at each place; ranges may overlap. */
export function createFinder(forms: readonly Form[]): (text: string) => Range[] {
  const window = Math.min(MAX_WINDOW, ...forms.map(({ text }) => text.length));
  const block = Math.min(BLOCK, window);
  const skips = skipsOf(forms, window, block);
  const beginnings = new Beginnings(forms, window);
  return (text) => {
    const found: Range[] = [];
    for (let end = window; end <= text.length;) {
      const skip = skips[blockAt(text, end, block)] as number;
      if (skip === 0) beginnings.collect(text, end - window, found);
      end += skip === 0 ? 1 : skip;
    }
    return found;
  };
}

/**
 * How far the end of a window may move when a block stands there: to where the block stands in a beginning, or
 * beyond it when it stands in none.
 */
function skipsOf(forms: readonly Form[], window: number, block: number): Uint8Array {
  const skips = new Uint8Array(1 << TABLE_BITS).fill(window - block + 1);
  for (const { text } of forms) {
    for (let end = block; end <= window; end++) {
      const at = blockAt(text, end, block);
      skips[at] = Math.min(skips[at] as number, window - end);
    }
  }
  return skips;
}

/** Place in the table of the block that ends there. */
function blockAt(text: string, end: number, block: number): number {
  let hash = text.charCodeAt(end - 1);
  for (let back = 2; back <= block; back++) {
    hash = Math.imul(hash, BASE) + text.charCodeAt(end - back);
  }
  return Math.imul(hash, SPREAD) >>> (32 - TABLE_BITS);
}

/** Forms by their beginning. */
class Beginnings {
  readonly #forms = new Map<string, Form[]>();
  readonly #window: number;

  constructor(forms: readonly Form[], window: number) {
    this.#window = window;
    for (const form of forms) {
      const beginning = form.text.slice(0, window);
      const same = this.#forms.get(beginning);
      if (same === undefined) this.#forms.set(beginning, [form]);
      else same.push(form);
    }
    for (const same of this.#forms.values()) same.sort((a, b) => b.text.length - a.text.length);
  }

  collect(text: string, start: number, found: Range[]): void {
    const same = this.#forms.get(text.slice(start, start + this.#window));
    const form = same?.find((one) => text.startsWith(one.text, start));
    if (form !== undefined) found.push(rangeOf(text, start, form));
  }
}

/** With the digits of Base64 that hold the secret's first and last bits, and the padding. */
function rangeOf(text: string, start: number, form: Form): Range {
  const end = start + form.text.length;
  const before = form.before && start > 0 && isDigit(text[start - 1]) ? 1 : 0;
  if (!form.behind || !isDigit(text[end])) return { start: start - before, end };
  let last = end + 1;
  while (last < end + 3 && text[last] === "=") last++;
  return { start: start - before, end: last };
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && /^[A-Za-z0-9+/_-]$/.test(char);
}
