/** Tables of the audit for gateways that have no connection: one statement brings them up to date. */
import { LOCK, MIGRATIONS } from "./schema.ts";

/**
 * Beside the rows: calls that are on their way to a backend. The record of a gateway that ends between a call and
 * its row is closed from here.
 */
const INTENTS = `create table if not exists sentinel_audit_intents (
    request text primary key,
    instance text collate "C" not null,
    at timestamptz not null default now(),
    claimed timestamptz,
    row text not null
  );
  create index if not exists sentinel_audit_intents_at on sentinel_audit_intents (at);`;

/** Makes what is missing, whoever else does so at the same time; fails for tables of a newer version. */
export const PREPARE = block(`
  declare known integer := 0;
  begin
    perform pg_advisory_xact_lock(${LOCK});
    if to_regclass('sentinel_audit_version') is null then
      create table sentinel_audit_version (version integer not null);
      insert into sentinel_audit_version values (0);
    end if;
    select version into known from sentinel_audit_version;
    if known > ${MIGRATIONS.length} then
      raise exception 'the tables have version %, and this program knows versions up to ${MIGRATIONS.length}', known;
    end if;
    ${MIGRATIONS.map((step, index) => `if known <= ${index} then ${step} end if;`).join("\n")}
    if known < ${MIGRATIONS.length} then
      update sentinel_audit_version set version = ${MIGRATIONS.length};
    end if;
    ${INTENTS}
  end`);

/** Fails unless the tables are there and of this version. */
export const CHECK = block(`
  begin
    if to_regclass('sentinel_audit_version') is null
      or to_regclass('sentinel_audit_intents') is null then
      raise exception 'its tables are missing, and audit.migrate is false';
    end if;
    if (select version from sentinel_audit_version) <> ${MIGRATIONS.length} then
      raise exception 'its tables are of another version, and audit.migrate is false';
    end if;
  end`);

/** The call is on its way. Parameters: request, instance, row. */
export const INTEND = "insert into sentinel_audit_intents (request, instance, row) " +
  "select * from unnest($1::text[], $2::text[], $3::text[]) on conflict do nothing";

/** Its row is there. Parameter: requests. */
export const CLOSE = "delete from sentinel_audit_intents where request = any($1::text[])";

/**
 * Calls nobody will write a row of any more. Who takes them closes them within five minutes, or somebody else does.
 * Parameters: age in milliseconds, how many.
 */
export const CLAIM = `update sentinel_audit_intents set claimed = now() where request in (
    select request from sentinel_audit_intents
    where at < now() - $1::double precision * interval '1 millisecond'
      and (claimed is null or claimed < now() - interval '5 minutes')
    order by at limit $2::integer for update skip locked
  ) returning row`;

function block(text: string): string {
  return `do $sentinel$${text} $sentinel$`;
}
