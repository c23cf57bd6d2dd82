import type { JournalEntry } from "../../src/ports/journal.ts";

/** An entry of the journal that can be told from others; `more` characters make it longer. */
export function entry(number: number, more = 0): JournalEntry {
  return {
    kind: "refusal",
    at: new Date(Date.UTC(2026, 0, 1) + number).toISOString(),
    request: String(number),
    code: "UNAUTHENTICATED",
    why: "x".repeat(more),
    method: "GET",
    path: "/manage/v1/status",
    actor: { name: "unknown", address: "192.0.2.1" },
  };
}
