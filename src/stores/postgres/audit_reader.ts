/** Searches the audit in PostgreSQL. */
import { AUDIT_SEARCHED, searchText, storedRow } from "../../contract/audit_columns.ts";
import type { AuditQuery, AuditReader, StoredRow, StoredRun } from "../../ports/audit.ts";
import type { Pool, Row } from "./pool.ts";

export class PostgresAuditReader implements AuditReader {
  readonly #pool: Pool;
  readonly #failure: (cause: unknown) => Error;

  /** @param failure What its methods reject with, of what the database said. */
  constructor(pool: Pool, failure: (cause: unknown) => Error) {
    this.#pool = pool;
    this.#failure = failure;
  }

  async search(query: AuditQuery): Promise<readonly StoredRow[]> {
    const { text, values } = searchStatement(query);
    return (await this.#read(text, values)).map(rowOf);
  }

  async runs(): Promise<readonly StoredRun[]> {
    return (await this.#read(RUNS, [])).map(runOf);
  }

  async run(instance: string, after: number, limit: number): Promise<readonly StoredRow[]> {
    return (await this.#read(RUN, [searchText(instance), after, limit])).map(rowOf);
  }

  async #read(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    try {
      return await this.#pool.transaction(
        { access: "read only" },
        (connection) => connection.query(text, values),
      );
    } catch (error) {
      throw this.#failure(error);
    }
  }
}

/** Jumps from run to run instead of reading every row. */
export const INSTANCES = `with recursive run as (
    select min(instance) as instance from sentinel_audit
    union all
    select (select min(instance) from sentinel_audit where instance > run.instance)
    from run where run.instance is not null
  ) select instance from run where instance is not null`;

/** Runs of which retention has left nothing are still known. */
const RUNS = `select known.instance, has.first, has.last, has.rows,
    trimmed.sequence as trimmed_sequence, trimmed.hash as trimmed_hash
  from ((${INSTANCES}) union select instance from sentinel_audit_trimmed) known
  left join sentinel_audit_trimmed trimmed using (instance)
  cross join lateral (
    select min(sequence) as first, max(sequence) as last, count(*) as rows
    from sentinel_audit where instance = known.instance
  ) has
  order by known.instance`;

const RUN = `select row, hash from sentinel_audit where instance = $1 and sequence > $2
  order by sequence limit $3`;

/** Everything a caller gives is a parameter; names of columns are of our own list. */
function searchStatement({ from, to, equals = {}, order, after, limit }: AuditQuery) {
  const values: unknown[] = [];
  const given = (value: unknown, type: string) => `$${values.push(value)}::${type}`;
  const time = (ms: number) => given(new Date(ms).toISOString(), "timestamptz");
  const conditions: string[] = [];
  if (from !== undefined) conditions.push(`at >= ${time(from)}`);
  if (to !== undefined) conditions.push(`at < ${time(to)}`);
  for (const member of AUDIT_SEARCHED) {
    const wanted = equals[member]?.map(searchText);
    if (wanted !== undefined) conditions.push(`${member} = any(${given(wanted, "text[]")})`);
  }
  const [beyond, direction] = order === "newest" ? ["<", "desc"] : [">", "asc"];
  if (after !== undefined) {
    const instance = given(searchText(after.instance), "text");
    const place = [time(after.at), instance, given(after.sequence, "bigint")];
    conditions.push(`(at, instance, sequence) ${beyond} (${place.join(", ")})`);
  }
  const where = conditions.length === 0 ? "" : `where ${conditions.join(" and ")}`;
  const by = ["at", "instance", "sequence"].map((column) => `${column} ${direction}`).join(", ");
  const text = `select row, hash from sentinel_audit ${where} order by ${by}
    limit ${given(limit, "bigint")}`;
  return { text, values };
}

function rowOf(row: Row): StoredRow {
  return storedRow(String(row["row"]), String(row["hash"]));
}

function runOf(row: Row): StoredRun {
  const instance = String(row["instance"]);
  const rows = Number(row["rows"]);
  if (row["trimmed_sequence"] === null) {
    return { instance, first: Number(row["first"]), last: Number(row["last"]), rows };
  }
  const sequence = Number(row["trimmed_sequence"]);
  return {
    instance,
    first: Number(row["first"] ?? sequence + 1),
    last: Number(row["last"] ?? sequence),
    rows,
    trimmed: { sequence, hash: String(row["trimmed_hash"]) },
  };
}
