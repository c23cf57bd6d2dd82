import type { Journal, JournalEntry } from "../../ports/journal.ts";

/** Remembers whether the journal took the last entry, for the status. */
export class CheckedJournal implements Journal {
  readonly #journal: Journal;
  readonly #taken: (entry: JournalEntry) => void;
  #failure: string | undefined;

  /** @param taken called with each entry that is in the journal */
  constructor(journal: Journal, taken: (entry: JournalEntry) => void = () => {}) {
    this.#journal = journal;
    this.#taken = taken;
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
    this.#taken(entry);
  }

  close(): void {
    this.#journal.close();
  }
}
