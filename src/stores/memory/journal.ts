import type { Journal, JournalEntry } from "../../ports/journal.ts";

/** Entries kept; beyond, the oldest are forgotten. */
const MAX_ENTRIES = 1000;

/** The journal of a gateway without a disk. */
export class MemoryJournal implements Journal {
  readonly #entries: JournalEntry[] = [];

  /** Oldest first. */
  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  append(entry: JournalEntry): void {
    if (this.#entries.length === MAX_ENTRIES) this.#entries.shift();
    this.#entries.push(entry);
  }

  close(): void {}
}
