/**
 * Whether a regular expression of a stranger is harmless: its time must grow with the text, not with a power
 * of it (trust.md T12). Conservative: what is not understood is not harmless.
 *
 * Harmless is an expression that tries few ways altogether, or one that is anchored at its start and never
 * has two ways to go on with a character (a deterministic position automaton after Glushkov), so that going
 * back never leads anywhere.
 */
import { ALL, type CharSet, overlap, readAtom, readClass } from "./pattern_sets.ts";

const MAX_LENGTH = 1000;
const MAX_POSITIONS = 500;
const MAX_DEPTH = 32;
/** Ways that an expression without loops may try at each place of the text. */
const MAX_WAYS = 200;

/** A part of the expression: what it may begin and end with, by position. */
interface Part {
  readonly nullable: boolean;
  readonly first: readonly number[];
  readonly last: readonly number[];
  /** Ways through it; Infinity with a loop. */
  readonly ways: number;
  /** The set, when the part is one character. */
  readonly set?: CharSet;
}

interface Count {
  readonly min: number;
  readonly max: number;
}

const EMPTY: Part = { nullable: true, first: [], last: [], ways: 1 };
const QUANTIFIER = /(?:([*+?])|\{(\d{1,4})(,(\d{0,4}))?\})\??/y;

class Unknown extends Error {}

export function isLinearPattern(pattern: string): boolean {
  if (pattern.length > MAX_LENGTH) return false;
  try {
    new RegExp(pattern, "u");
    return new Reader(pattern).isLinear();
  } catch {
    return false; // No expression at all, or one with parts that are not understood here.
  }
}

class Reader {
  readonly #text: string;
  readonly #anchored: boolean;
  readonly #end: number;
  #at: number;
  readonly #sets: CharSet[] = [];
  readonly #follow: Set<number>[] = [];

  constructor(text: string) {
    this.#text = text;
    this.#anchored = text.startsWith("^");
    this.#at = this.#anchored ? 1 : 0;
    this.#end = /(?:^|[^\\])(?:\\\\)*\$$/.test(text) ? text.length - 1 : text.length;
  }

  isLinear(): boolean {
    const whole = this.#alternatives(0);
    // In "^a|b" the anchor belongs to the first alternative only.
    const split = whole.split && (this.#anchored || this.#end < this.#text.length);
    if (this.#at < this.#end || split) return false;
    if (whole.part.ways <= MAX_WAYS) return true;
    return this.#anchored && [whole.part.first, ...this.#follow].every((next) => this.#clear(next));
  }

  #clear(next: Iterable<number>): boolean {
    const sets = [...next].map((position) => this.#sets[position] ?? ALL);
    return sets.every((set, at) => sets.slice(at + 1).every((other) => !overlap(set, other)));
  }

  #alternatives(depth: number): { readonly part: Part; readonly split: boolean } {
    if (depth > MAX_DEPTH) throw new Unknown();
    let part = this.#sequence(depth);
    let split = false;
    while (this.#peek() === "|") {
      this.#at++;
      split = true;
      part = either(part, this.#sequence(depth));
    }
    return { part, split };
  }

  #sequence(depth: number): Part {
    let part = EMPTY;
    while (this.#at < this.#end && this.#peek() !== "|" && this.#peek() !== ")") {
      part = this.#then(part, this.#repeated(this.#atom(depth)));
    }
    return part;
  }

  #atom(depth: number): Part {
    const char = this.#peek();
    if (char === "(") return this.#group(depth);
    if (char === "^" || char === "$") throw new Unknown();
    const read = char === "[" ? readClass : readAtom;
    const { set, end } = read(this.#text, this.#at);
    this.#at = end;
    return this.#char(set);
  }

  #group(depth: number): Part {
    this.#at++;
    if (this.#peek() === "?") {
      if (!this.#text.startsWith("?:", this.#at)) throw new Unknown();
      this.#at += 2;
    }
    const { part } = this.#alternatives(depth + 1);
    if (this.#peek() !== ")") throw new Unknown();
    this.#at++;
    return part;
  }

  #char(set: CharSet): Part {
    const position = this.#sets.push(set) - 1;
    if (position >= MAX_POSITIONS) throw new Unknown();
    this.#follow.push(new Set());
    return { nullable: false, first: [position], last: [position], ways: 1, set };
  }

  #repeated(part: Part): Part {
    const { min, max } = this.#count();
    if (min === 1 && max === 1) return part;
    if (part.nullable) throw new Unknown();
    const { set } = part;
    if (set === undefined) return this.#loop(part, { min, max });
    if (max === 0) return EMPTY;
    // One character so many times is written out: what varies is only the rest.
    let fixed = min === 0 ? EMPTY : part;
    for (let times = 1; times < min; times++) fixed = this.#then(fixed, this.#char(set));
    if (min === max) return fixed;
    const rest = min === 0 ? part : this.#char(set);
    return this.#then(fixed, this.#loop(rest, { min: 0, max: max - min }));
  }

  #loop(part: Part, { min, max }: Count): Part {
    if (max > 1) this.#link(part.last, part.first);
    const ways = max === Infinity ? Infinity : part.ways ** max * (max - min + 1);
    return { nullable: min === 0, first: part.first, last: part.last, ways };
  }

  #count(): Count {
    QUANTIFIER.lastIndex = this.#at;
    const found = QUANTIFIER.exec(this.#text);
    if (found === null) return { min: 1, max: 1 };
    this.#at = QUANTIFIER.lastIndex;
    const [, sign, from, comma, to] = found;
    if (sign === "*") return { min: 0, max: Infinity };
    if (sign === "+") return { min: 1, max: Infinity };
    if (sign === "?") return { min: 0, max: 1 };
    const min = Number(from);
    if (comma === undefined) return { min, max: min };
    return { min, max: to === undefined || to === "" ? Infinity : Number(to) };
  }

  #then(a: Part, b: Part): Part {
    this.#link(a.last, b.first);
    return {
      nullable: a.nullable && b.nullable,
      first: a.nullable ? [...a.first, ...b.first] : a.first,
      last: b.nullable ? [...a.last, ...b.last] : b.last,
      ways: a.ways * b.ways,
    };
  }

  #link(from: readonly number[], to: readonly number[]): void {
    for (const position of from) {
      for (const next of to) this.#follow[position]?.add(next);
    }
  }

  #peek(): string | undefined {
    return this.#at < this.#end ? this.#text[this.#at] : undefined;
  }
}

function either(a: Part, b: Part): Part {
  return {
    nullable: a.nullable || b.nullable,
    first: [...a.first, ...b.first],
    last: [...a.last, ...b.last],
    ways: a.ways + b.ways,
  };
}
