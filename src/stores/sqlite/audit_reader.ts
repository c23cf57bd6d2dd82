/** Reads the audit's file beside the gateway that writes it; makes and changes nothing. */
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { AuditReader } from "../../ports/audit.ts";
import { rowsOfRun, storedRuns } from "./audit_runs.ts";
import { AUDIT_FILE } from "./audit_schema.ts";
import { searchRows } from "./audit_search.ts";
import { failure, refusal } from "./failure.ts";
import { versionOf } from "./schema.ts";

/** Milliseconds to wait for a process that changes the tables. */
const BUSY_MS = 2000;

export interface SqliteAuditReader extends AuditReader {
  close(): void;
}

/**
 * @returns undefined when there is no file, or nothing was written into it yet
 * @throws SentinelError for a file of another version or program, or one that cannot be read
 */
export function openSqliteAuditReader(path: string): SqliteAuditReader | undefined {
  if (!existsSync(path)) return undefined;
  const database = opened(path);
  if (database === undefined) return undefined;
  const read = async <Value>(work: () => Value | Promise<Value>): Promise<Value> => {
    try {
      return await work();
    } catch (cause) {
      throw failure(path, "read", cause, AUDIT_FILE.words);
    }
  };
  return {
    search: (query) => read(() => searchRows(database, query)),
    runs: () => read(() => storedRuns(database)),
    run: (instance, after, limit) => read(() => rowsOfRun(database, instance, after, limit)),
    close: () => database.close(),
  };
}

function opened(path: string): DatabaseSync | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS });
    const version = versionOf(database, path, AUDIT_FILE);
    if (version === AUDIT_FILE.migrations.length) return database;
    database.close();
    if (version === 0) return undefined;
  } catch (cause) {
    database?.close();
    throw failure(path, "open", cause, AUDIT_FILE.words);
  }
  const problem = `The audit file "${path}" was written by an older version`;
  const remedy = "start the gateway once, which brings it up to date";
  throw refusal(problem, { remedy, code: AUDIT_FILE.refusedAs });
}
