/** Looks whether one of our files can be used, without leaving anything in it. */
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { AUDIT_FILE } from "./audit_schema.ts";
import { failure } from "./failure.ts";
import { STATE_FILE, versionOf } from "./schema.ts";
import { SESSION_FILE } from "./session_schema.ts";

/** How long another process's write is waited for. */
const BUSY_MS = 250;

const KINDS = { state: STATE_FILE, audit: AUDIT_FILE, sessions: SESSION_FILE } as const;
export type SqliteFile = keyof typeof KINDS;

export interface SqliteProbe {
  /** Of its tables. */
  readonly version: number;
  /** That this program makes. */
  readonly newest: number;
  /** Of a write that was taken back. */
  readonly writeMs: number;
}

/**
 * Undefined when there is no such file.
 * @throws SentinelError that says what to do when it cannot be read or written
 */
export function probeSqlite(path: string, file: SqliteFile): SqliteProbe | undefined {
  if (!existsSync(path)) return undefined;
  const kind = KINDS[file];
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: BUSY_MS });
    const version = versionOf(database, path, kind);
    const startedAt = performance.now();
    writeAndTakeBack(database);
    return { version, newest: kind.migrations.length, writeMs: performance.now() - startedAt };
  } catch (error) {
    throw failure(path, "use", error, kind.words);
  } finally {
    database?.close();
  }
}

function writeAndTakeBack(database: DatabaseSync): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    database.exec("CREATE TABLE sentinel_probe (n INTEGER)");
    database.exec("INSERT INTO sentinel_probe VALUES (1)");
  } finally {
    if (database.isTransaction) database.exec("ROLLBACK");
  }
}
