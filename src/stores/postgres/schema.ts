/**
 * Tables of the audit, as numbered steps from one version to the next. They are made in the first schema of the
 * user's search path, which `alter role … set search_path = …` chooses.
 *
 * Rights: to make or change them `create` on that schema; to work with them `select, insert` on `sentinel_audit`,
 * `select` on `sentinel_audit_version` and, for retention, `delete` on the first and `select, insert, update` on
 * `sentinel_audit_trimmed`. A user without `delete` and `update` can add rows but not change the past.
 */
import type { Address } from "./address.ts";
import { unusable } from "./failure.ts";
import type { Connection, Pool, Row } from "./pool.ts";

/** Any number, the same in every gateway: they wait for each other here. */
export const LOCK = "7310318476251014733";
/** An index over many rows takes its time, and so does another gateway that makes it. */
const MIGRATION_MS = 10 * 60_000;

/**
 * Step n leads from version n to n + 1. Steps are never changed, and only add: during a rolling restart the
 * version before still works on the tables.
 *
 * The columns are for searching: as `auditColumns` cuts them, so that every value fits into an index. The row
 * itself is a text, because `jsonb` would change it, and its hash is over the very text. The view reads it as
 * JSON: escapes that PostgreSQL refuses in JSON (U+0000, lone surrogates) are U+FFFD there.
 */
export const MIGRATIONS: readonly string[] = [
  `create table sentinel_audit (
    instance text collate "C" not null,
    sequence bigint not null,
    at timestamptz not null,
    kind text not null,
    request text not null,
    principal text,
    name text,
    backend text,
    method text,
    outcome text not null,
    session text,
    hash text not null, -- empty without a chain
    row text not null,
    primary key (instance, sequence)
  );
  create index sentinel_audit_at on sentinel_audit (at, instance, sequence);
  create index sentinel_audit_request on sentinel_audit (request);
  create index sentinel_audit_principal on sentinel_audit (principal, at);
  create index sentinel_audit_name on sentinel_audit (name, at);
  create index sentinel_audit_session on sentinel_audit (session, at);
  create table sentinel_audit_trimmed (
    instance text collate "C" primary key,
    sequence bigint not null,
    hash text not null
  );
  create view sentinel_audit_calls as
    select a.at as time, a.principal, a.name as tool, a.backend, a.outcome,
      (parsed.row ->> 'durationMs')::double precision as duration_ms,
      parsed.row -> 'arguments' as arguments,
      a.method, a.session, a.request, parsed.row ->> 'error' as error, parsed.row ->> 'reason' as reason,
      parsed.row
    from sentinel_audit a cross join lateral (
      select regexp_replace(a.row, '\\\\u(0000|d[89a-f][0-9a-f]{2})', '\\\\ufffd', 'gi')::json as row
      offset 0 -- parsed once, however many members are read
    ) parsed
    where a.kind = 'call';`,
];

/** Of the tables, as this program makes them. */
export const NEWEST_VERSION: number = MIGRATIONS.length;

/**
 * Brings the tables to the newest version; several gateways may do so at once.
 * @throws SentinelError CONFIG_INVALID when they are newer, outdated without `migrate`, or cannot hold every text
 */
export async function prepareTables(pool: Pool, address: Address, migrate: boolean): Promise<void> {
  const version = await pool.transaction(
    { access: "read only" },
    (connection) => versionOf(connection, address),
  );
  if (version === MIGRATIONS.length) return;
  if (!migrate) {
    throw unusable(
      address,
      `its tables have version ${version}, this program needs ${MIGRATIONS.length}, and audit.migrate is false`,
      "start a gateway once with audit.migrate = true and a user that may create tables",
    );
  }
  const options = { access: "read write", deadlineMs: MIGRATION_MS } as const;
  await pool.transaction(options, (connection) => applyMissing(connection, address));
}

async function applyMissing(connection: Connection, address: Address): Promise<void> {
  await connection.query(`select pg_advisory_xact_lock(${LOCK})`);
  // Read again: another gateway may have been quicker.
  const version = await versionOf(connection, address);
  if (version === 0) {
    await connection.query(
      "create table if not exists sentinel_audit_version (version integer not null)",
    );
    await connection.query("insert into sentinel_audit_version values (0)");
  }
  for (const step of MIGRATIONS.slice(version)) await connection.query(step);
  await connection.query("update sentinel_audit_version set version = $1", [MIGRATIONS.length]);
}

/**
 * 0 for a database without the tables.
 * @throws SentinelError CONFIG_INVALID when they are newer, or cannot hold every text
 */
export async function versionOf(connection: Connection, address: Address): Promise<number> {
  // From the catalog itself: a name that was looked up before may be remembered as missing.
  const [found] = await connection.query(
    `select current_schema() as schema, current_setting('server_encoding') as encoding,
      exists (
        select from pg_catalog.pg_class
        where relname = 'sentinel_audit_version'
          and relnamespace = (
            select oid from pg_catalog.pg_namespace where nspname = current_schema()
          )
      ) as present`,
  );
  checkDatabase(address, found);
  if (found?.["present"] !== true) return 0;
  const [row] = await connection.query("select version from sentinel_audit_version");
  const version = Number(row?.["version"] ?? 0);
  if (version <= MIGRATIONS.length) return version;
  throw unusable(
    address,
    `its tables have version ${version}, and this program knows versions up to ${MIGRATIONS.length}`,
    "start the newer version of MCP Sentinel that made them, or use another database or schema",
  );
}

function checkDatabase(address: Address, found: Row | undefined): void {
  if (found?.["schema"] === null) {
    const problem = "the user's search_path names no schema that exists and that it may use";
    throw unusable(address, problem, "create the schema and grant usage on it");
  }
  const encoding = String(found?.["encoding"]);
  if (encoding === "UTF8") return;
  const problem = `its encoding is ${encoding}, which cannot hold every text`;
  throw unusable(address, problem, "create a database with encoding 'UTF8'");
}
