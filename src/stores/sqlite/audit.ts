import { open } from "node:fs/promises";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { AUDIT_SEARCHED, auditColumns } from "../../contract/audit_columns.ts";
import type { AuditReader, AuditSink, DeliveredRow } from "../../ports/audit.ts";
import { rowsOfRun, storedRuns, trimRuns } from "./audit_runs.ts";
import { AUDIT_FILE } from "./audit_schema.ts";
import { searchRows } from "./audit_search.ts";
import { failure } from "./failure.ts";
import { openDatabase } from "./open.ts";

export interface SqliteAuditOptions {
  /** Whether tables of an older version may be brought up to date; true by default. */
  readonly migrate?: boolean;
  /**
   * Milliseconds to wait for another process that writes; 50 by default. Nothing else runs meanwhile; what could
   * not be written comes again.
   */
  readonly busyMs?: number;
}

/** Rows of the audit in a SQLite file, which two gateways may share during a rolling restart. */
export function openSqliteAudit(path: string, options: SqliteAuditOptions = {}): AuditSink {
  return new SqliteAudit(path, options);
}

class SqliteAudit implements AuditSink {
  readonly kind = "sqlite";
  readonly reader: AuditReader;
  readonly #path: string;
  readonly #options: SqliteAuditOptions;
  #opened: { readonly database: DatabaseSync; readonly insert: StatementSync } | undefined;
  #isClosed = false;

  constructor(path: string, options: SqliteAuditOptions) {
    this.#path = path;
    this.#options = options;
    this.reader = {
      search: (query) => this.#try("read", (database) => searchRows(database, query)),
      runs: () => this.#try("read", storedRuns),
      run: (instance, after, limit) =>
        this.#try("read", (database) => rowsOfRun(database, instance, after, limit)),
    };
  }

  async open(): Promise<void> {
    await this.#try("open", () => {});
  }

  async write(rows: readonly DeliveredRow[]): Promise<void> {
    if (rows.length === 0) return;
    await this.#try("write", (database, insert) => {
      inTransaction(database, () => {
        for (const row of rows) insertRow(insert, row);
      });
    });
  }

  /**
   * A commit is in the write-ahead log, in the system's hands. That it is on the disk is waited for beside the
   * event loop. (Unlike that of the database itself, closing a descriptor of the log drops no lock of SQLite.)
   */
  async sync(): Promise<void> {
    await this.#try("write", async () => {
      const log = await open(`${this.#path}-wal`, "r+");
      try {
        await log.datasync();
      } finally {
        await log.close();
      }
    });
  }

  trim(before: number): Promise<number> {
    return this.#try(
      "write",
      (database) => trimRuns(database, before, (work) => inTransaction(database, work)),
    );
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#opened?.database.close();
    this.#opened = undefined;
    return Promise.resolve();
  }

  async #try<Result>(
    act: string,
    work: (database: DatabaseSync, insert: StatementSync) => Result | Promise<Result>,
  ): Promise<Result> {
    try {
      const { database, insert } = this.#open();
      return await work(database, insert);
    } catch (error) {
      throw failure(this.#path, act, error, AUDIT_FILE.words);
    }
  }

  #open(): { readonly database: DatabaseSync; readonly insert: StatementSync } {
    if (this.#isClosed) throw new Error("it is closed");
    if (this.#opened !== undefined) return this.#opened;
    const { busyMs = 50, migrate = true } = this.#options;
    const database = openDatabase(this.#path, busyMs, AUDIT_FILE, migrate);
    this.#opened = { database, insert: prepareInsert(database) };
    return this.#opened;
  }
}

function inTransaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** What stands before hash and text, each from the row. */
const COLUMNS = ["instance", "sequence", "at", ...AUDIT_SEARCHED] as const;

function prepareInsert(database: DatabaseSync): StatementSync {
  const names = [...COLUMNS, "hash", "row"];
  return database.prepare(
    `INSERT INTO audit (${names.join()}) VALUES (${names.map(() => "?").join()})
      ON CONFLICT (instance, sequence) DO NOTHING`,
  );
}

function insertRow(insert: StatementSync, { row, text, hash }: DeliveredRow): void {
  const columns = auditColumns(row);
  insert.run(...COLUMNS.map((name) => columns[name]), hash, text);
}
