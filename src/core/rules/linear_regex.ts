/** Regular expressions of rules, in time that grows with the text alone (trust.md T12). */
import { RE2JS } from "re2js";
import { RULE_BOUNDS } from "../../contract/rules.ts";
import type { Meter } from "./meter.ts";

/** Computed expressions that are kept compiled. */
const MAX_KEPT = 100;
/** A text that is matched. */
const MAX_TEXT = 4_000_000;
/** Blows a short expression up to a program of thousands of steps. */
const COUNTED = /\{\d/;

export class LinearRegex {
  readonly #meter: Meter;
  readonly #written = new Map<string, RE2JS>();
  /** Least recently used first. */
  readonly #computed = new Map<string, RE2JS>();

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  /** Compiles an expression that stands in a rule. @throws RE2JSException */
  prepare(pattern: string): void {
    if (!this.#written.has(pattern)) this.#written.set(pattern, RE2JS.compile(pattern));
  }

  /** Whether the expression matches some part of the text. */
  readonly matches = (text: string, pattern: string): boolean => {
    if (text.length > MAX_TEXT) throw new RangeError("the text is too long to match");
    this.#meter.matching(text);
    return (this.#written.get(pattern) ?? this.#compiled(pattern)).test(text);
  };

  #compiled(pattern: string): RE2JS {
    const regex = this.#computed.get(pattern) ?? compileComputed(pattern);
    this.#computed.delete(pattern);
    this.#computed.set(pattern, regex);
    if (this.#computed.size > MAX_KEPT) {
      this.#computed.delete(this.#computed.keys().next().value as string);
    }
    return regex;
  }
}

/** What is computed may come from a caller. */
function compileComputed(pattern: string): RE2JS {
  if (pattern.length > RULE_BOUNDS.computedPattern || COUNTED.test(pattern)) {
    throw new RangeError("a computed pattern is too long or has counted repetitions");
  }
  return RE2JS.compile(pattern);
}
