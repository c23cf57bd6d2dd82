/**
 * The audit where nothing but data lasts from one request to the next (edge): journal and store are one, over
 * HTTP, and what has to be written before a call goes on is written there.
 */
import { type AuditRow, UNKNOWN_OUTCOME } from "../../contract/audit.ts";
import { chainHash, chainStart, rowText } from "../../contract/audit_chain.ts";
import type { AuditJournal, AuditSink, DeliveredRow, JournaledRow } from "../../ports/audit.ts";
import { INSERT, valuesOf } from "./audit_rows.ts";
import { CLAIM, CLOSE, INTEND } from "./http_schema.ts";
import type { HttpSql, Statement } from "./http_sql.ts";

/** Rows of one statement. */
const BATCH = 250;
/** A request that has not said within this time that its rows are written will not say so. */
const SENT_MS = 30_000;
/** No request lives that long: an intent that is older has no row to come. */
const LOST_MS = 3_600_000;
/** After a failure that long calls would most likely be refused. */
const FAILING_MS = 10_000;
/** Lost calls that are closed in one go. */
const MAX_CLOSED = 50;

export interface HttpAuditOptions {
  readonly sql: HttpSql;
  /** UUIDv7 of the run: that of this isolate. */
  readonly instance: string;
  /** Whether rows are chained by hash. */
  readonly chain: boolean;
  readonly sha256: (text: string) => string;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
}

interface Pending extends DeliveredRow {
  /** Monotonic time it was last sent; undefined: it is not on its way. */
  sentAt: number | undefined;
}

/** One run, written by all cores of an isolate; they share data, never a promise. */
export class HttpAudit implements AuditJournal {
  readonly instance: string;
  readonly leftovers = [];
  readonly problems = [];
  readonly ended = undefined;
  readonly sink: AuditSink;
  readonly #options: HttpAuditOptions;
  readonly #rows = new Set<Pending>();
  readonly #intents = new Map<string, string>();
  #hash: string;
  #last = 0;
  #bytes = 0;
  /** Monotonic time. */
  #failedAt = -Infinity;

  constructor(options: HttpAuditOptions) {
    this.#options = options;
    this.instance = options.instance;
    this.#hash = options.chain ? chainStart(options.instance, options.sha256) : "";
    this.sink = sinkOf(options.sql);
  }

  get last(): number {
    return this.#last;
  }

  /** Characters of all rows that are not written yet. */
  get bytes(): number {
    return this.#bytes;
  }

  get isFailing(): boolean {
    return this.#options.monotonic() - this.#failedAt < FAILING_MS;
  }

  intent(request: string, text: string): void {
    this.#intents.set(request, text);
  }

  append({ row, text }: JournaledRow): void {
    const { chain, sha256 } = this.#options;
    if (chain) this.#hash = chainHash(this.#hash, text, sha256);
    this.#rows.add({ row, text, hash: this.#hash, sentAt: undefined });
    this.#last = row.sequence;
    this.#bytes += text.length;
  }

  forget(request: string): void {
    this.#intents.delete(request);
  }

  /** Writes what is not on its way already. What could not be written goes with the next. */
  async synced(): Promise<void> {
    const intents = [...this.#intents];
    this.#intents.clear();
    const rows = this.#unsent();
    const statements = [...intendedBy(intents, this.instance), ...recordedBy(rows)];
    if (statements.length === 0) return;
    try {
      await this.#options.sql.run(statements);
    } catch (cause) {
      for (const row of rows) row.sentAt = undefined;
      this.#failedAt = this.#options.monotonic();
      throw cause;
    }
    this.#failedAt = -Infinity;
    for (const row of rows) this.#written(row);
  }

  rows(): Promise<readonly JournaledRow[]> {
    return Promise.resolve([]);
  }

  delivered(): void {}

  close(): void {}

  /** Closes, in this run, calls whose isolate has ended before their row was written; gives how many. */
  async closeLost(): Promise<number> {
    const [found = []] = await this.#options.sql.run([{
      text: CLAIM,
      values: [LOST_MS, MAX_CLOSED],
    }]);
    for (const { row: text } of found) {
      const intended = JSON.parse(String(text)) as AuditRow;
      const own = { instance: this.instance, sequence: this.#last + 1 };
      const row = { ...intended, ...own, outcome: UNKNOWN_OUTCOME, executed: "unknown" } as const;
      this.append({ row, text: rowText(row) });
    }
    if (found.length > 0) await this.synced();
    return found.length;
  }

  #unsent(): readonly Pending[] {
    const now = this.#options.monotonic();
    const rows = [...this.#rows]
      .filter(({ sentAt }) => sentAt === undefined || now - sentAt > SENT_MS)
      .slice(0, BATCH);
    for (const row of rows) row.sentAt = now;
    return rows;
  }

  #written(row: Pending): void {
    if (this.#rows.delete(row)) this.#bytes -= row.text.length;
  }
}

function intendedBy(
  intents: readonly (readonly [string, string])[],
  instance: string,
): readonly Statement[] {
  if (intents.length === 0) return [];
  const requests = intents.map(([request]) => request);
  const texts = intents.map(([, text]) => text);
  return [{ text: INTEND, values: [requests, requests.map(() => instance), texts] }];
}

/** The rows, and the end of the intents they close, in one transaction. */
function recordedBy(rows: readonly Pending[]): readonly Statement[] {
  if (rows.length === 0) return [];
  const requests = rows.map(({ row }) => row.request);
  return [{ text: INSERT, values: valuesOf(rows) }, { text: CLOSE, values: [requests] }];
}

/** What is in the journal is in the store. Removing old rows is left to gateways that last. */
function sinkOf(sql: HttpSql): AuditSink {
  return {
    kind: sql.kind,
    reader: undefined,
    open: () => Promise.resolve(),
    write: () => Promise.resolve(),
    sync: () => Promise.resolve(),
    trim: () => Promise.resolve(0),
    close: () => Promise.resolve(),
  };
}
