/** Rows of the audit for tests of what keeps them. */
import type { AuditRow } from "../../src/contract/audit.ts";
import { rowText } from "../../src/contract/audit_chain.ts";
import type { DeliveredRow } from "../../src/ports/audit.ts";

/** Two runs, the second later than the first. */
export const FIRST_RUN = "01960000-0000-7000-8000-000000000001";
export const SECOND_RUN = "01970000-0000-7000-8000-000000000002";
/** Wall time of row 0; row n begins n seconds later. */
export const START = Date.UTC(2026, 0, 1);

/** Row n of a run; members of `more` replace those it has. */
export function rowOf(sequence: number, more: Partial<AuditRow> = {}): AuditRow {
  return {
    instance: FIRST_RUN,
    sequence,
    kind: "call",
    request: `request ${sequence}`,
    at: new Date(START + sequence * 1000).toISOString(),
    principal: "https://issuer.test joe",
    session: "session-1",
    method: "tools/call",
    name: "files__read",
    backend: "files",
    revision: 1,
    arguments: { path: `/tmp/${sequence}` },
    outcome: "ok",
    ...more,
  };
}

/** The same, as it is delivered; its hash is no real one. */
export function delivered(sequence: number, more: Partial<AuditRow> = {}): DeliveredRow {
  const row = rowOf(sequence, more);
  return { row, text: rowText(row), hash: hashOf(row.instance, sequence) };
}

export function hashOf(instance: string, sequence: number): string {
  return `hash of ${instance} ${sequence}`;
}

/** Rows `from` to `to`, both included. */
export function deliveries(
  from: number,
  to: number,
  more: Partial<AuditRow> = {},
): DeliveredRow[] {
  return upTo(to - from + 1).map((number) => delivered(from + number - 1, more));
}

/** 1, 2, … count. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
