/** A real store of the audit with rows of our own, in a folder. */
import { join } from "node:path";
import { uuidv7 } from "uuidv7";
import type { AuditRow } from "../../src/contract/audit.ts";
import { chainHash, chainStart, rowText } from "../../src/contract/audit_chain.ts";
import type { AuditStores } from "../../src/core/mod.ts";
import { systemDigest } from "../../src/hosts/digest.ts";
import type { DeliveredRow } from "../../src/ports/audit.ts";
import { MemoryAuditJournal } from "../../src/stores/memory/audit_journal.ts";
import { openSqliteAudit } from "../../src/stores/sqlite/audit.ts";

/** Two runs before that of a gateway under test. */
export const FIRST_RUN = "01960000-0000-7000-8000-000000000001";
export const SECOND_RUN = "01970000-0000-7000-8000-000000000002";
/** When row 0 began; row n began n seconds later. */
export const START = Date.UTC(2026, 0, 1);

/** Row n of a run; members of `more` replace those it has. */
export function callRow(sequence: number, more: Partial<AuditRow> = {}): AuditRow {
  return {
    instance: FIRST_RUN,
    sequence,
    kind: "call",
    request: `0196a000-0000-7000-8000-${String(sequence).padStart(12, "0")}`,
    at: new Date(START + sequence * 1000).toISOString(),
    principal: "https://login.test#anna",
    session: "0123456789ab",
    method: "tools/call",
    name: "gh__merge",
    backend: "gh",
    revision: 1,
    outcome: "ok",
    durationMs: 12.5,
    ...more,
  };
}

/** Rows of one run with their chain. */
export function chained(rows: readonly AuditRow[]): DeliveredRow[] {
  let hash = chainStart(rows[0]?.instance ?? "", systemDigest.sha256);
  return rows.map((row) => {
    const text = rowText(row);
    hash = chainHash(hash, text, systemDigest.sha256);
    return { row, text, hash };
  });
}

export function auditPath(folder: string): string {
  return join(folder, "audit.sqlite");
}

/** A store with rows in it, as a gateway gets it. */
export async function storeWith(
  folder: string,
  ...runs: readonly (readonly DeliveredRow[])[]
): Promise<AuditStores> {
  const sink = openSqliteAudit(auditPath(folder));
  await sink.open();
  for (const rows of runs) await sink.write(rows);
  return { sink, journal: new MemoryAuditJournal(uuidv7()) };
}
