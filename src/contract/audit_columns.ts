/** What a store of the audit keeps beside the text of a row, to find it by; the same in every store. */
import { type AuditRecord, type AuditRow } from "./audit.ts";
import { SentinelError } from "./errors.ts";

/** Members that can be searched for. */
export const AUDIT_SEARCHED = [
  "kind",
  "request",
  "principal",
  "name",
  "backend",
  "method",
  "outcome",
  "session",
] as const satisfies readonly (keyof AuditRow)[];
export type AuditSearched = typeof AUDIT_SEARCHED[number];

/** Null where the row has no such member. */
export type AuditColumns =
  & {
    readonly instance: string;
    readonly sequence: number;
    /** Milliseconds since 1970; NaN when the row has no time, which a store must refuse. */
    readonly at: number;
  }
  & { readonly [Member in AuditSearched]: string | null };

export function auditColumns(row: AuditRow): AuditColumns {
  return {
    instance: row.instance,
    sequence: row.sequence,
    at: Date.parse(row.at),
    kind: row.kind,
    request: searchText(row.request),
    principal: columnOf(row.principal),
    name: columnOf(row.name),
    backend: columnOf(row.backend),
    method: columnOf(row.method),
    outcome: searchText(row.outcome),
    session: columnOf(row.session),
  };
}

function columnOf(value: string | undefined): string | null {
  return value === undefined ? null : searchText(value);
}

/** Longer values do not fit into the index of every database. */
const MAX_TEXT = 512;

/**
 * A value as it stands in a column, and as it has to be looked for there: well-formed, without U+0000, at most
 * 530 UTF-16 units. Different values stay different; of long ones a checksum tells the ends apart.
 */
export function searchText(value: string): string {
  const text = isStorable(value) ? value : JSON.stringify(value);
  if (text.length <= MAX_TEXT) return text;
  const start = text.slice(0, MAX_TEXT);
  return `${start.isWellFormed() ? start : start.slice(0, -1)}…${checksum(value)}`;
}

/** What every database takes as it is; a first `"` is what an escaped value begins with. */
function isStorable(value: string): boolean {
  return !value.startsWith('"') && !value.includes("\0") && value.isWellFormed();
}

/** 64 bits as hexadecimal digits (FNV-1a, two of 32 bits): tells apart, proves nothing. */
function checksum(text: string): string {
  let one = 0x811c9dc5;
  let two = 0x1000193;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    one = Math.imul(one ^ unit, 0x01000193);
    two = Math.imul(two ^ unit, 0x5bd1e995) ^ (two >>> 15);
  }
  return [one, two].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

/**
 * A stored row as readers get it. `hash` is `""` or null without a chain.
 * @throws SentinelError AUDIT_UNAVAILABLE when the text is no row: it was changed behind the gateway's back
 */
export function storedRow(
  text: string,
  hash: string | null,
): { readonly record: AuditRecord; readonly text: string } {
  try {
    const row = JSON.parse(text) as AuditRow;
    return { record: hash === null || hash === "" ? row : { ...row, hash }, text };
  } catch (error) {
    const reason = `the stored text ${JSON.stringify(text.slice(0, 120))} is no row of the audit`;
    throw new SentinelError(
      "AUDIT_UNAVAILABLE",
      `Cannot read the audit: ${reason}`,
      { reason },
      error,
    );
  }
}
