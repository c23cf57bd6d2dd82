import type { Journal, JournalEntry } from "../../ports/journal.ts";

/** Remembers whether the journal took the last entry, for the status. */
export class CheckedJournal implements Journal {
  readonly #journal: Journal;
  #failure: string | undefined;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  append(entry: JournalEntry): void {
    try {
      this.#journal.append(entry);
      this.#failure = undefined;
    } catch (cause) {
      this.#failure = String(cause);
      throw cause;
    }
  }

  close(): void {
    this.#journal.close();
  }
}
