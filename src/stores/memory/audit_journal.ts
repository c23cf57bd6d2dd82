import type { AuditJournal, JournaledRow, Mark } from "../../ports/audit.ts";

/** The journal of the audit for a gateway without a disk: what is not delivered ends with the process. */
export class MemoryAuditJournal implements AuditJournal {
  readonly instance: string;
  readonly leftovers = [];
  readonly problems = [];
  readonly ended = undefined;
  #rows: JournaledRow[] = [];
  readonly #intents = new Map<string, number>();
  #size = 0;

  /** @param instance UUIDv7 of this run */
  constructor(instance: string) {
    this.instance = instance;
  }

  /** Length of all texts it holds. */
  get bytes(): number {
    return this.#size;
  }

  intent(request: string, text: string): void {
    this.forget(request);
    this.#intents.set(request, text.length);
    this.#size += text.length;
  }

  append(row: JournaledRow): void {
    this.#rows.push(row);
    this.#size += row.text.length;
    this.forget(row.row.request);
  }

  forget(request: string): void {
    this.#size -= this.#intents.get(request) ?? 0;
    this.#intents.delete(request);
  }

  /** There is nothing that survives more. */
  synced(): Promise<void> {
    return Promise.resolve();
  }

  rows(after: number, limit: number): Promise<readonly JournaledRow[]> {
    const first = this.#firstAfter(after);
    return Promise.resolve(this.#rows.slice(first, first + limit));
  }

  delivered({ sequence }: Mark): void {
    for (const { text } of this.#rows.splice(0, this.#firstAfter(sequence))) {
      this.#size -= text.length;
    }
  }

  close(): void {}

  /** Index of the first row beyond a number. */
  #firstAfter(sequence: number): number {
    const found = this.#rows.findIndex(({ row }) => row.sequence > sequence);
    return found === -1 ? this.#rows.length : found;
  }
}
