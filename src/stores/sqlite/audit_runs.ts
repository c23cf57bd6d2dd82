/** The runs an audit file has: what is there of each, and what retention took. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { storedRow } from "../../contract/audit_columns.ts";
import type { Mark, StoredRow, StoredRun } from "../../ports/audit.ts";

/** Rows counted, and rows removed, before others may run. */
const COUNTED = 20_000;
const REMOVED = 200;

export async function storedRuns(database: DatabaseSync): Promise<readonly StoredRun[]> {
  const runs: StoredRun[] = [];
  for (const instance of instancesOf(database)) runs.push(await runOf(database, instance));
  return runs;
}

export function rowsOfRun(
  database: DatabaseSync,
  instance: string,
  after: number,
  limit: number,
): readonly StoredRow[] {
  return database.prepare(
    "SELECT row, hash FROM audit WHERE instance = ? AND sequence > ? ORDER BY sequence LIMIT ?",
  ).all(instance, after, limit).map((row) => storedRow(String(row["row"]), String(row["hash"])));
}

/**
 * Removes rows that began before, in short transactions, each with the mark that goes with it.
 * @param transaction Runs its work in a transaction that writes.
 */
export async function trimRuns(
  database: DatabaseSync,
  before: number,
  transaction: <Result>(work: () => Result) => Result,
): Promise<number> {
  let removed = 0;
  for (const instance of instancesOf(database)) {
    for (let count = REMOVED; count === REMOVED;) {
      const old = oldRows(database, instance, before);
      count = old === undefined ? 0 : transaction(() => trimStart(database, instance, before));
      removed += count;
      await setImmediate();
    }
  }
  return removed;
}

/** Rows of all runs, without looking at each of them; oldest first, because the names are UUIDv7. */
function instancesOf(database: DatabaseSync): readonly string[] {
  return database.prepare(
    `WITH RECURSIVE found (instance) AS (
        SELECT min(instance) FROM audit
        UNION ALL
        SELECT (SELECT min(instance) FROM audit WHERE instance > found.instance) FROM found
          WHERE found.instance IS NOT NULL
      )
      SELECT instance FROM found WHERE instance IS NOT NULL
      UNION SELECT instance FROM trimmed ORDER BY instance`,
  ).all().map((row) => String(row["instance"]));
}

async function runOf(database: DatabaseSync, instance: string): Promise<StoredRun> {
  const count = database.prepare(
    `SELECT min(sequence) AS first, max(sequence) AS last, count(*) AS rows FROM
      (SELECT sequence FROM audit WHERE instance = ? AND sequence > ? ORDER BY sequence LIMIT ?)`,
  );
  const trimmed = markOf(database, instance);
  let first: number | undefined;
  let last = trimmed?.sequence ?? 0;
  let rows = 0;
  for (let after = -1, step = COUNTED; step === COUNTED; after = last) {
    const part = count.get(instance, after, COUNTED);
    step = Number(part?.["rows"]);
    if (step === 0) break;
    first ??= Number(part?.["first"]);
    last = Number(part?.["last"]);
    rows += step;
    await setImmediate();
  }
  return {
    instance,
    first: first ?? last + 1,
    last,
    rows,
    ...(trimmed === undefined ? {} : { trimmed }),
  };
}

function markOf(database: DatabaseSync, instance: string): Mark | undefined {
  const row = database.prepare("SELECT sequence, hash FROM trimmed WHERE instance = ?")
    .get(instance);
  if (row === undefined) return undefined;
  return { sequence: Number(row["sequence"]), hash: String(row["hash"]) };
}

/** The last of the first rows of a run that all began before, and how many they are. */
function oldRows(
  database: DatabaseSync,
  instance: string,
  before: number,
): { readonly mark: Mark; readonly count: number } | undefined {
  const first = front(database).all(instance, REMOVED);
  const young = first.findIndex((row) => Number(row["at"]) >= before);
  const count = young === -1 ? first.length : young;
  const last = first[count - 1];
  if (last === undefined) return undefined;
  return { mark: { sequence: Number(last["sequence"]), hash: String(last["hash"]) }, count };
}

function front(database: DatabaseSync): StatementSync {
  return database.prepare(
    "SELECT sequence, at, hash FROM audit WHERE instance = ? ORDER BY sequence LIMIT ?",
  );
}

/** Looked at again: another process may have been quicker. */
function trimStart(database: DatabaseSync, instance: string, before: number): number {
  const old = oldRows(database, instance, before);
  if (old === undefined) return 0;
  const { mark: { sequence, hash }, count } = old;
  database.prepare("DELETE FROM audit WHERE instance = ? AND sequence <= ?")
    .run(instance, sequence);
  database.prepare(
    `INSERT INTO trimmed (instance, sequence, hash) VALUES (?, ?, ?) ON CONFLICT DO UPDATE
      SET sequence = excluded.sequence, hash = excluded.hash
      WHERE excluded.sequence > trimmed.sequence`,
  ).run(instance, sequence, hash);
  return count;
}
