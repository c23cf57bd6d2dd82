import type { AuditRecord, AuditRow } from "../contract/audit.ts";

/** A row with the text that is hashed and stored. */
export interface JournaledRow {
  readonly row: AuditRow;
  /** JSON of the row, as it stands in the journal. */
  readonly text: string;
}

/** What a run leaves to the next one when it was killed. */
export interface Leftover {
  readonly instance: string;
  /** Number of its last row in the journal; 0 when it has none. */
  readonly last: number;
  /** How far it was delivered. */
  readonly mark: Mark;
  /** Intents without a row, oldest first: they have to be closed before `rows` are complete. */
  readonly open: readonly AuditRow[];
  /** Bytes on disk; fewer as rows are delivered. */
  readonly bytes: number;
  /** Appends the row that closes an intent. @throws SentinelError AUDIT_UNAVAILABLE */
  append(row: JournaledRow): void;
  /** Rows after a number, oldest first, at most `limit`; empty at the end. */
  rows(after: number, limit: number): Promise<readonly JournaledRow[]>;
  /** Remembers how far it is delivered. */
  delivered(mark: Mark): void;
  /** Everything is delivered: removes its files. One with lines that cannot be read is put aside instead. */
  remove(): void;
}

/** A run whose rows are all delivered. */
export interface EndedRun {
  readonly instance: string;
  /** Number of its last row. */
  readonly last: number;
}

/** How far rows are delivered, and the hash to go on with. */
export interface Mark {
  readonly sequence: number;
  readonly hash: string;
}

/**
 * The local record of calls: append-only, one writer, in the hands of the system when a method returns, so that
 * it survives `kill -9`.
 */
export interface AuditJournal {
  /** UUIDv7 of this run. */
  readonly instance: string;
  /**
   * Number of the last row, where several cores, one after another or side by side, write one run (edge): a core
   * that finds rows does not begin it. Absent: the run is the core's own.
   */
  readonly last?: number;
  /** It did not take what it was given lately, as another core has found out. */
  readonly isFailing?: boolean;
  /** Bytes on disk, those of earlier runs included. */
  readonly bytes: number;
  /** What earlier runs left, oldest first. Never those of a gateway that is still running. */
  readonly leftovers: readonly Leftover[];
  /** The run before that ended in order and left nothing; undefined without one. */
  readonly ended: EndedRun | undefined;
  /** What of earlier runs could not be read on opening, in words; it is kept as it is. */
  readonly problems: readonly string[];
  /**
   * A call is about to reach its backend. `text` is the JSON of what the row would be.
   * @throws SentinelError AUDIT_UNAVAILABLE when it cannot be written
   */
  intent(request: string, text: string): void;
  /**
   * A row; closes the intent of the same request. Rows come in the order of their numbers.
   * @throws SentinelError AUDIT_UNAVAILABLE when it cannot be written
   */
  append(row: JournaledRow): void;
  /** The intent of a request is closed without a row of its own (its row was dropped). */
  forget(request: string): void;
  /** Resolves when all that was written before survives a power cut; many wait for one sync. Rejects when it failed. */
  synced(): Promise<void>;
  /** Rows after a number, oldest first, at most `limit`. */
  rows(after: number, limit: number): Promise<readonly JournaledRow[]>;
  /** Rows up to here are delivered; frees what only they needed. */
  delivered(mark: Mark): void;
  /** Ends the run; what is not delivered stays for the next one. */
  close(): void;
}

/** A row on its way into a store. */
export interface DeliveredRow extends JournaledRow {
  /** Of the chain; `""` without one. */
  readonly hash: string;
}

/** Which rows to find. All conditions hold; an absent one holds for all. */
export interface AuditQuery {
  /** Wall time in milliseconds, inclusive. */
  readonly from?: number;
  /** Wall time in milliseconds, exclusive. */
  readonly to?: number;
  /** Each member equals one of the values. */
  readonly equals?: {
    readonly [
      Member in
        | "kind"
        | "request"
        | "principal"
        | "name"
        | "backend"
        | "outcome"
        | "method"
        | "session"
    ]?: readonly string[];
  };
  readonly order: "newest" | "oldest";
  /** Rows beyond the one with this position, in the direction of the order. */
  readonly after?: AuditPosition;
  readonly limit: number;
}

/** Place of a row in a list: by time, then by run and number. */
export interface AuditPosition {
  readonly at: number;
  readonly instance: string;
  readonly sequence: number;
}

/** A stored row with the very text its hash was taken over. */
export interface StoredRow {
  readonly record: AuditRecord;
  readonly text: string;
}

/** One run as a store knows it; it stays known when all its rows are removed. */
export interface StoredRun {
  readonly instance: string;
  /** Number of its oldest row; without rows the one after `last`. */
  readonly first: number;
  /** Number of its newest row, also when that was removed. */
  readonly last: number;
  /** How many it has; less than `last - first + 1` when some are missing. */
  readonly rows: number;
  /** Where retention cut: the place of the last row removed and its hash. */
  readonly trimmed?: Mark;
}

/** Reads what was delivered. */
export interface AuditReader {
  search(query: AuditQuery): Promise<readonly StoredRow[]>;
  /** Oldest first. */
  runs(): Promise<readonly StoredRun[]>;
  /** Rows of one run after a number, by number. */
  run(instance: string, after: number, limit: number): Promise<readonly StoredRow[]>;
}

/** Where rows are delivered to. */
export interface AuditSink {
  readonly kind: "sqlite" | "postgres" | "neon" | "stdout";
  /** Absent where rows cannot be read back. */
  readonly reader: AuditReader | undefined;
  /**
   * Makes the tables, or brings them up to date when `migrate` allows it.
   * @throws SentinelError CONFIG_INVALID for tables of a newer version, or outdated ones that must not be touched
   */
  open(): Promise<void>;
  /**
   * Stores all rows or none; rows it already has are left as they are. Rejects when it cannot: the same rows
   * come again.
   */
  write(rows: readonly DeliveredRow[]): Promise<void>;
  /** What was written before survives a power cut when it resolves; only then the journal may forget it. */
  sync(): Promise<void>;
  /**
   * Removes rows that began before, from the front of each run, and keeps its mark; gives how many. An old row
   * behind a younger one of its run stays until that one goes, so that what is left is one chain.
   */
  trim(before: number): Promise<number>;
  close(): Promise<void>;
}
