import type { RefusedItem } from "../../contract/mod.ts";
import type { ItemKind } from "./types.ts";

/** Rows kept per backend and kind; the rest is only counted. */
const MAX_ROWS = 100;
const MAX_NAME = 128;
const MAX_REASON = 600;
/** Line breaks, terminal controls, and characters that reorder or hide text on a screen. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Name of a row that means: part of the list could not be read; it makes the backend `degraded`. */
export const UNREADABLE = "*";

/** Items of one backend and kind that were left out, within a bound and safe to print. */
export class Refusals {
  readonly #backend: string;
  readonly #kind: ItemKind;
  readonly #rows: RefusedItem[] = [];
  #uncounted = 0;

  constructor(backend: string, kind: ItemKind) {
    this.#backend = backend;
    this.#kind = kind;
  }

  add(name: string, reason: string): void {
    if (this.#rows.length < MAX_ROWS) this.#rows.push(this.#row(name, reason));
    else this.#uncounted++;
  }

  get rows(): readonly RefusedItem[] {
    if (this.#uncounted === 0) return this.#rows;
    return [...this.#rows, this.#row("…", `${this.#uncounted} more were left out`)];
  }

  #row(name: string, reason: string): RefusedItem {
    return {
      backend: this.#backend,
      kind: this.#kind,
      name: printable(name, MAX_NAME),
      reason: printable(reason, MAX_REASON),
    };
  }
}

/** The text with control and formatting characters escaped as in JSON, cut to `max` characters. */
export function printable(text: string, max: number): string {
  const cut = text.length > max ? `${text.slice(0, max - 1)}…` : text;
  return cut.replace(UNPRINTABLE, (found) => {
    const codes = Array.from({ length: found.length }, (_, at) => found.charCodeAt(at));
    return codes.map((code) => `\\u${code.toString(16).padStart(4, "0")}`).join("");
  });
}
