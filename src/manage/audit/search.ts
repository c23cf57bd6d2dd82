/** Rows of the audit that a filter lets through, page by page. */
import { parseFilter } from "../../contract/filter.ts";
import { FILTERS } from "../../contract/manage/filters.ts";
import { SentinelError } from "../../contract/mod.ts";
import type { AuditQuery, AuditReader, StoredRow } from "../../ports/audit.ts";
import type { Clock } from "../../ports/clock.ts";
import { turn } from "../stream/turn.ts";
import { lookupOf } from "./lookup.ts";
import { parsePosition, positionOf, positionText } from "./position.ts";

/** Rows asked of the store at once: a store within this process holds up calls while it reads. */
const BATCH = 200;
/** Most rows looked at for one page: a filter that matches nothing must not read the whole store. */
const MAX_SCAN = 20_000;
/** Characters of one page. */
const MAX_CHARACTERS = 8 * 1024 * 1024;

export interface AuditSearch {
  readonly filter: string | undefined;
  readonly order: AuditQuery["order"];
  /** `next` of the page before. */
  readonly after: string | undefined;
  readonly limit: number;
}

export interface AuditRunSearch {
  readonly instance: string;
  readonly filter: string | undefined;
  /** Number of the last row seen. */
  readonly after: number;
  readonly limit: number;
}

export interface AuditPage {
  readonly items: readonly StoredRow[];
  /** There may be more: also when nothing was found among the rows looked at. */
  readonly next?: string;
}

export interface AuditRunPage extends AuditPage {
  /** Number of the last row looked at. */
  readonly last: number;
}

/**
 * Rows by time.
 * @throws SentinelError INVALID_PARAMS, AUDIT_UNAVAILABLE when the store cannot be read
 */
export async function searchAudit(
  reader: AuditReader,
  clock: Clock,
  { filter: text, order, after, limit }: AuditSearch,
): Promise<AuditPage> {
  const filter = parseFilter(text ?? "", FILTERS.audit, clock.now());
  const query = { ...lookupOf(filter), order, limit: BATCH };
  const first = after === undefined ? undefined : parsePosition(after);
  const { items, last, isAll } = await scan({
    clock,
    limit,
    matches: ({ record }) => filter.matches(record),
    read: (last) => {
      const from = last === undefined ? first : positionOf(last.record);
      return reader.search(from === undefined ? query : { ...query, after: from });
    },
  });
  return isAll || last === undefined
    ? { items }
    : { items, next: positionText(positionOf(last.record)) };
}

/**
 * Rows of one run by number.
 * @throws SentinelError INVALID_PARAMS, AUDIT_UNAVAILABLE when the store cannot be read
 */
export async function searchAuditRun(
  reader: AuditReader,
  clock: Clock,
  { instance, filter: text, after, limit }: AuditRunSearch,
): Promise<AuditRunPage> {
  const filter = parseFilter(text ?? "", FILTERS.auditRun, clock.now());
  const found = await scan({
    clock,
    limit,
    matches: ({ record }) => filter.matches(record),
    read: (last) => reader.run(instance, last?.record.sequence ?? after, BATCH),
  });
  const last = found.last?.record.sequence ?? after;
  return { items: found.items, last, ...(found.isAll ? {} : { next: String(last) }) };
}

/** @throws SentinelError AUDIT_UNAVAILABLE when `read` fails */
export async function readStore<Value>(read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof SentinelError && cause.code === "AUDIT_UNAVAILABLE") throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SentinelError("AUDIT_UNAVAILABLE", "Cannot read the audit", { reason }, cause);
  }
}

interface Scan {
  readonly clock: Clock;
  readonly limit: number;
  readonly matches: (row: StoredRow) => boolean;
  /** Rows behind one, a batch at most. */
  readonly read: (last: StoredRow | undefined) => Promise<readonly StoredRow[]>;
}

interface Scanned {
  readonly items: readonly StoredRow[];
  /** The last row looked at. */
  readonly last: StoredRow | undefined;
  /** There is nothing behind it. */
  readonly isAll: boolean;
}

async function scan({ clock, limit, matches, read }: Scan): Promise<Scanned> {
  const items: StoredRow[] = [];
  let characters = 0;
  let last: StoredRow | undefined;
  for (let looked = 0; looked < MAX_SCAN; looked += BATCH) {
    if (looked > 0) await turn(clock);
    const batch = await readStore(() => read(last));
    for (const row of batch) {
      if (items.length === limit || characters >= MAX_CHARACTERS) {
        return { items, last, isAll: false };
      }
      last = row;
      if (!matches(row)) continue;
      items.push(row);
      characters += row.text.length;
    }
    if (batch.length < BATCH) return { items, last, isAll: true };
  }
  return { items, last, isAll: false };
}
