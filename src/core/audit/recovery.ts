/** What a killed gateway left: calls whose outcome nobody knows any more are closed as such. */
import { type AuditRow, UNKNOWN_OUTCOME } from "../../contract/audit.ts";
import type { Leftover } from "../../ports/audit.ts";
import type { Account } from "./account.ts";

/** A run before this one, as the row `start` names it. */
export interface PreviousRun {
  readonly instance: string;
  /** Number of its last row. */
  readonly sequence: number;
  /** Calls that were under way when it ended. */
  readonly closed: number;
}

/**
 * Appends a row for each intent that has none, and counts what is still to be delivered.
 * @throws SentinelError AUDIT_UNAVAILABLE when the journal cannot be written
 */
export function closeOpenIntents(leftover: Leftover, account: Account): PreviousRun {
  const { instance, last, mark, open } = leftover;
  let sequence = last;
  for (const intent of open) {
    sequence++;
    const row: AuditRow = { ...intent, sequence, outcome: UNKNOWN_OUTCOME, executed: "unknown" };
    leftover.append({ row, text: JSON.stringify(row) });
  }
  account.written(sequence - mark.sequence);
  return { instance, sequence, closed: open.length };
}
