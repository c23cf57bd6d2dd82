/** Opens a SQLite file that several processes may share. */
import { chmodSync, closeSync, openSync, statSync } from "node:fs";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { failure, refusal } from "./failure.ts";
import { type FileKind, migrate, STATE_FILE, versionOf } from "./schema.ts";

const OWNER_ONLY = 0o600;
/** Larger files are not read as a whole before they are used: that would hold up the start. */
const MAX_CHECKED_BYTES = 64 * 1024 * 1024;

/**
 * Opens the file, makes it (mode 0600) when it is missing, and brings its tables to the newest version.
 * @param busyMs How long to wait for another process's write.
 * @param mayMigrate Whether tables of an older version may be changed.
 * @throws SentinelError when it cannot be opened, is damaged, newer, or another program's
 */
export function openDatabase(
  path: string,
  busyMs: number,
  kind: FileKind = STATE_FILE,
  mayMigrate = true,
): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    makePrivate(path);
    database = new DatabaseSync(path, { timeout: busyMs });
    const version = versionOf(database, path, kind); // refuses before anything is changed
    const isOutdated = version > 0 && version < kind.migrations.length;
    if (isOutdated && !mayMigrate) throw outdated(path, version, kind);
    if (kind.pageBytes !== undefined) usePages(database, kind.pageBytes);
    useWriteAheadLog(database, busyMs);
    if (statSync(path).size <= MAX_CHECKED_BYTES) check(database);
    migrate(database, path, kind);
    database.exec(`DELETE FROM ${kind.table} WHERE false`); // fails now where nothing may be written
    return database;
  } catch (error) {
    database?.close();
    throw failure(path, "open", error, kind.words);
  }
}

function outdated(path: string, version: number, { words, refusedAs: code }: FileKind) {
  const problem = `The ${words.name} "${path}" has the older version ${version}`;
  return refusal(problem, { remedy: "allow it to be brought up to date (migrate = true)", code });
}

/** SQLite gives its side files the mode of the database. */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, "wx", OWNER_ONLY));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    // Never opened here: closing any descriptor of a file drops the locks SQLite holds on it.
    const others = statSync(path).mode & 0o077;
    if (others !== 0 && process.platform !== "win32") chmodSync(path, OWNER_ONLY);
  }
}

/** Damage is said at the start, not when a kill switch is missed. */
function check(database: DatabaseSync): void {
  const found = database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
  if (found !== "ok") throw new Error(`quick_check found ${String(found)}`);
}

/** How much the log takes before it is worked into the file: little at a time, because nothing else runs meanwhile. */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;

/** The size holds for a file that is still empty. */
function usePages(database: DatabaseSync, bytes: number): void {
  database.exec(`PRAGMA page_size = ${bytes}`);
  database.exec(`PRAGMA wal_autocheckpoint = ${Math.ceil(CHECKPOINT_BYTES / bytes)}`);
}

/** Written and in the system's hands at each commit: safe against a kill, not against a power cut. */
function useWriteAheadLog(database: DatabaseSync, busyMs: number): void {
  const deadline = performance.now() + busyMs;
  while (true) {
    try {
      return database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    } catch (error) {
      // SQLite does not wait here by itself when two processes do this to a new file at once.
      if (!/locked/.test(String(error)) || performance.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
