/** Tables of the state file, as numbered steps from one version to the next. */
import type { DatabaseSync } from "node:sqlite";
import { refusal } from "./failure.ts";

/** "MCPS": tells our file from any other SQLite database. */
const APPLICATION = 0x4d435053;

/**
 * Step n leads from version n to n + 1. Steps are never changed, and only add: during a rolling restart the
 * version before still works on the file.
 */
export const MIGRATIONS: readonly string[] = [
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

/**
 * Brings the file to the newest version; several processes may do so at once.
 * @throws as `versionOf`; nothing is changed then
 */
export function migrate(
  database: DatabaseSync,
  path: string,
  migrations: readonly string[] = MIGRATIONS,
): void {
  if (versionOf(database, path, migrations) === migrations.length) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    // Read again: another process may have been quicker.
    const version = versionOf(database, path, migrations);
    for (const step of migrations.slice(version)) database.exec(step);
    database.exec(`PRAGMA application_id = ${APPLICATION}`);
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
  migrations: readonly string[] = MIGRATIONS,
): number {
  const newest = migrations.length;
  // In this order, because another process may be making the file: each step of it shows in what comes later.
  const isEmpty = database.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"] === 0;
  const version = pragma(database, "user_version");
  const application = pragma(database, "application_id");
  if (application !== APPLICATION && (application !== 0 || version !== 0 || !isEmpty)) {
    const problem = `"${path}" is a database of another program`;
    throw refusal(problem, "move it away, or use another state folder");
  }
  if (version <= newest) return version;
  throw refusal(
    `The state file "${path}" has version ${version}, and this program knows versions up to ${newest}`,
    "start the newer version of MCP Sentinel that wrote it, or move the file away: kill switches and " +
      "event log begin empty then",
  );
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
