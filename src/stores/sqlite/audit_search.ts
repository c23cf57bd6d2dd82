/** Finds rows by what is asked for, in steps that are short however many rows are looked through. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { type AuditSearched, searchText, storedRow } from "../../contract/audit_columns.ts";
import type { AuditPosition, AuditQuery, StoredRow } from "../../ports/audit.ts";

/** Rows looked through before others may run. */
const STEP = 2000;

const POSITION = "(at, instance, sequence)";

/** A condition, with the values of its `?`. */
interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

export async function searchRows(
  database: DatabaseSync,
  query: AuditQuery,
): Promise<readonly StoredRow[]> {
  const { order, limit } = query;
  const { index, others } = conditionsOf(query);
  const direction = order === "newest" ? "DESC" : "ASC";
  const found: StoredRow[] = [];
  let ends = boundsOf(query);
  while (found.length < limit) {
    const range = both([index, ...between(ends)]);
    const edge = others.length === 0 ? undefined : edgeOf(database, range, direction);
    const step = edge === undefined ? range : both([index, ...between(ends, edge, order)]);
    found.push(...rowsOf(database, both([step, ...others]), direction, limit - found.length));
    if (edge === undefined) break;
    ends = order === "newest" ? { ...ends, high: edge } : { ...ends, low: edge };
    await setImmediate();
  }
  return found;
}

/** What an index can answer, and what each row has to be looked at for. */
function conditionsOf(
  { equals = {} }: AuditQuery,
): { readonly index: Condition; readonly others: readonly Condition[] } {
  const { request, ...rest } = equals;
  const others = Object.entries(rest).map(([member, values]) =>
    oneOf(member as AuditSearched, values)
  );
  const index = request === undefined ? { sql: "true", values: [] } : oneOf("request", request);
  return { index, others };
}

/** The name of a column is never taken from a caller: the type of the query has only ours. */
function oneOf(member: AuditSearched, values: readonly string[]): Condition {
  if (values.length === 1) return { sql: `${member} = ?`, values: values.map(searchText) };
  const places = values.map(() => "?").join(", ");
  return { sql: `${member} IN (${places})`, values: values.map(searchText) };
}

/** Between which rows to look; both are excluded. */
interface Ends {
  readonly low: AuditPosition;
  readonly high: AuditPosition | undefined;
}

function boundsOf({ from = 0, to, after, order }: AuditQuery): Ends {
  const low = { at: from, instance: "", sequence: -1 };
  const high = to === undefined ? undefined : { at: to, instance: "", sequence: -1 };
  if (after === undefined) return { low, high };
  if (order === "newest") {
    return { low, high: high === undefined || isBefore(after, high) ? after : high };
  }
  return { low: isBefore(low, after) ? after : low, high };
}

function isBefore(one: AuditPosition, two: AuditPosition): boolean {
  if (one.at !== two.at) return one.at < two.at;
  if (one.instance !== two.instance) return one.instance < two.instance;
  return one.sequence < two.sequence;
}

/**
 * One condition for each end, because SQLite uses only the first of several for the same.
 * @param edge Where a step ends, itself included.
 */
function between({ low, high }: Ends, edge?: AuditPosition, order?: AuditQuery["order"]) {
  const bottom = edge !== undefined && order === "newest" ? beyond(edge, ">=") : beyond(low, ">");
  if (edge !== undefined && order === "oldest") return [bottom, beyond(edge, "<=")];
  return high === undefined ? [bottom] : [bottom, beyond(high, "<")];
}

function beyond({ at, instance, sequence }: AuditPosition, operator: string): Condition {
  return { sql: `${POSITION} ${operator} (?, ?, ?)`, values: [at, instance, sequence] };
}

function both(conditions: readonly Condition[]): Condition {
  return {
    sql: conditions.map(({ sql }) => sql).join(" AND "),
    values: conditions.flatMap(({ values }) => values),
  };
}

/** The last row of the next step; undefined when it reaches the end. */
function edgeOf(
  database: DatabaseSync,
  { sql, values }: Condition,
  direction: string,
): AuditPosition | undefined {
  const row = database.prepare(
    `SELECT at, instance, sequence FROM audit WHERE ${sql}
      ORDER BY at ${direction}, instance ${direction}, sequence ${direction}
      LIMIT 1 OFFSET ${STEP - 1}`,
  ).get(...values);
  if (row === undefined) return undefined;
  return {
    at: Number(row["at"]),
    instance: String(row["instance"]),
    sequence: Number(row["sequence"]),
  };
}

function rowsOf(
  database: DatabaseSync,
  { sql, values }: Condition,
  direction: string,
  limit: number,
): StoredRow[] {
  return database.prepare(
    `SELECT row, hash FROM audit WHERE ${sql}
      ORDER BY at ${direction}, instance ${direction}, sequence ${direction} LIMIT ?`,
  ).all(...values, limit).map((row) => storedRow(String(row["row"]), String(row["hash"])));
}
