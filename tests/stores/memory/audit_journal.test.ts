import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryAuditJournal } from "../../../src/stores/memory/audit_journal.ts";
import { deliveries, FIRST_RUN, upTo } from "../audit_rows.ts";

async function numbers(journal: MemoryAuditJournal, after: number, limit = 100) {
  return (await journal.rows(after, limit)).map(({ row }) => row.sequence);
}

describe("the audit's journal in memory", () => {
  test("gives rows page by page until they are delivered", async () => {
    const journal = new MemoryAuditJournal(FIRST_RUN);
    for (const row of deliveries(1, 9)) journal.append(row);
    assert.deepEqual(await numbers(journal, 0, 4), [1, 2, 3, 4]);
    assert.deepEqual(await numbers(journal, 4), [5, 6, 7, 8, 9]);
    journal.delivered({ sequence: 6, hash: "" });
    assert.deepEqual(await numbers(journal, 6, 2), [7, 8]);
    journal.delivered({ sequence: 9, hash: "" });
    assert.deepEqual(await numbers(journal, 9), []);
    await journal.synced();
    journal.close();
  });

  test("its size is that of open intents and of rows that are not delivered", () => {
    const journal = new MemoryAuditJournal(FIRST_RUN);
    journal.intent("a", "12345");
    journal.intent("b", "123");
    assert.equal(journal.bytes, 8);
    journal.forget("a");
    journal.forget("a");
    assert.equal(journal.bytes, 3);
    const rows = deliveries(1, 3, { request: "b" });
    for (const row of rows) journal.append(row);
    assert.equal(journal.bytes, rows.reduce((sum, { text }) => sum + text.length, 0));
    journal.delivered({ sequence: 3, hash: "" });
    assert.equal(journal.bytes, 0);
    assert.deepEqual([journal.leftovers, journal.problems, upTo(0)], [[], [], []]);
  });
});
