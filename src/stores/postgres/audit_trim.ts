/** Retention: removes what is old, so that what stays of a run can still be proven. */
import { INSTANCES } from "./audit_reader.ts";
import type { Pool } from "./pool.ts";

/** Rows in one transaction. */
const STEP = 1000;

/**
 * Rows of a run up to the first that is young enough: a run is cut at one place, or its chain would have holes.
 * The place is remembered in the same statement.
 */
const TRIM = `with first_kept as (
    select min(sequence) as sequence from sentinel_audit where instance = $1 and at >= $2::timestamptz
  ), old as (
    select sequence from sentinel_audit
    where instance = $1
      and sequence < coalesce((select sequence from first_kept), 9223372036854775807)
    order by sequence limit ${STEP}
  ), gone as (
    delete from sentinel_audit using old
    where sentinel_audit.instance = $1 and sentinel_audit.sequence = old.sequence
    returning sentinel_audit.sequence, sentinel_audit.hash
  ), marked as (
    insert into sentinel_audit_trimmed (instance, sequence, hash)
    select $1, sequence, hash from gone order by sequence desc limit 1
    on conflict (instance) do update set sequence = excluded.sequence, hash = excluded.hash
      where sentinel_audit_trimmed.sequence < excluded.sequence
  ) select count(*)::integer as removed from gone`;

/** Removes rows that began before; gives how many. */
export async function trimRuns(pool: Pool, before: number): Promise<number> {
  const runs = await pool.transaction(
    { access: "read only" },
    (connection) => connection.query(INSTANCES),
  );
  const time = new Date(before).toISOString();
  let removed = 0;
  for (const { instance } of runs) {
    for (let step = STEP; step === STEP; removed += step) {
      step = await trimStep(pool, [instance, time]);
    }
  }
  return removed;
}

async function trimStep(pool: Pool, values: readonly unknown[]): Promise<number> {
  const [row] = await pool.transaction(
    { access: "read write" },
    (connection) => connection.query(TRIM, values),
  );
  return Number(row?.["removed"]);
}
