/** Rows in memory on their way to the store; what does not fit is read from the journal again. */
import type { JournaledRow } from "../../ports/audit.ts";

/** Characters of all rows in memory. */
const MAX_CHARACTERS = 16 * 1024 * 1024;

export class RowQueue {
  readonly #max: number;
  #rows: JournaledRow[] = [];
  #characters = 0;
  /** Rows were left out: nothing is taken in until those are delivered from the journal. */
  #isBehind = false;

  constructor(max: number) {
    this.#max = max;
  }

  get isBehind(): boolean {
    return this.#isBehind;
  }

  get size(): number {
    return this.#rows.length;
  }

  /** Rows in the order of their numbers, without a gap. */
  push(row: JournaledRow): void {
    if (this.#isBehind) return;
    if (this.#rows.length >= this.#max || this.#characters >= MAX_CHARACTERS) {
      this.#isBehind = true;
      return;
    }
    this.#rows.push(row);
    this.#characters += row.text.length;
  }

  /** The oldest rows; they stay until they are dropped. */
  head(limit: number): readonly JournaledRow[] {
    return this.#rows.slice(0, limit);
  }

  drop(count: number): void {
    for (const { text } of this.#rows.slice(0, count)) this.#characters -= text.length;
    this.#rows = this.#rows.slice(count);
  }

  /** Everything that was left out is delivered. */
  caughtUp(): void {
    this.#isBehind = false;
  }
}
