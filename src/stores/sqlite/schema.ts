/** Tables of our files, as numbered steps from one version to the next. */
import type { DatabaseSync } from "node:sqlite";
import type { ErrorName } from "../../contract/errors.ts";
import { type FileWords, refusal, STATE_WORDS } from "./failure.ts";

/** What tells one of our files from another, and from those of other programs. */
export interface FileKind {
  readonly words: FileWords;
  /** `PRAGMA application_id`. */
  readonly application: number;
  /** Step n leads from version n to n + 1. */
  readonly migrations: readonly string[];
  /** Bytes of a page of a new file; SQLite's own choice without it. */
  readonly pageBytes?: number;
  /** A table of every version. */
  readonly table: string;
  /** How a file of a newer version or of another program is refused. */
  readonly refusedAs: ErrorName;
}

/**
 * Of the state file. Steps are never changed, and only add: during a rolling restart the
 * version before still works on the file.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE event (
    cursor INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice, even after the newest was deleted
    at TEXT NOT NULL,
    event TEXT NOT NULL,
    severity TEXT NOT NULL,
    fields TEXT NOT NULL
  ) STRICT;
  CREATE TABLE entry (
    area TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (area, key)
  ) STRICT, WITHOUT ROWID;`,
];

export const STATE_FILE: FileKind = {
  words: STATE_WORDS,
  application: 0x4d435053, // "MCPS"
  migrations: MIGRATIONS,
  table: "entry",
  refusedAs: "AUDIT_UNAVAILABLE",
};

/**
 * Brings the file to the newest version; several processes may do so at once.
 * @throws as `versionOf`; nothing is changed then
 */
export function migrate(
  database: DatabaseSync,
  path: string,
  kind: FileKind = STATE_FILE,
): void {
  const { application, migrations } = kind;
  if (versionOf(database, path, kind) === migrations.length) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    // Read again: another process may have been quicker.
    const version = versionOf(database, path, kind);
    for (const step of migrations.slice(version)) database.exec(step);
    database.exec(`PRAGMA application_id = ${application}`);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/**
 * Version of a file, 0 for an empty one.
 * @throws SentinelError for a file of a newer version or of another program
 */
export function versionOf(
  database: DatabaseSync,
  path: string,
  { words, application, migrations, refusedAs: code }: FileKind = STATE_FILE,
): number {
  const newest = migrations.length;
  // In this order, because another process may be making the file: each step of it shows in what comes later.
  const isEmpty = database.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"] === 0;
  const version = pragma(database, "user_version");
  const found = pragma(database, "application_id");
  if (found !== application && (found !== 0 || version !== 0 || !isEmpty)) {
    const problem = `"${path}" is a database of another program`;
    throw refusal(problem, { remedy: "move it away, or use another state folder", code });
  }
  if (version <= newest) return version;
  const { name, withoutIt } = words;
  const problem = `The ${name} "${path}" has version ${version}`;
  throw refusal(`${problem}, and this program knows versions up to ${newest}`, {
    remedy: "start the newer version of MCP Sentinel that wrote it, or move the file away: " +
      withoutIt,
    code,
  });
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
