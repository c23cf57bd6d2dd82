/** What reloads have to leave behind. */
import assert from "node:assert/strict";
import type { JournalEntry } from "../../src/ports/journal.ts";
import type { Answered } from "./managed_gateway.ts";

export function assertApplied({ status, body }: Answered): void {
  assert.equal(status, 200, JSON.stringify(body));
  assert.ok(body.outcome === "applied" || body.outcome === "unchanged", JSON.stringify(body));
}

/** Who reloaded and how it ended = how often. */
export function countReloads(journal: readonly JournalEntry[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const entry of journal) {
    if (entry.kind !== "operation.outcome" || entry.operation.operation !== "reload") continue;
    const { actor, outcome } = entry.operation;
    const key = `${actor.name}, ${outcome}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
