import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryJournal } from "../../../src/stores/memory/journal.ts";
import { entry } from "../journal_entry.ts";

describe("MemoryJournal", () => {
  test("keeps the newest entries, oldest first", () => {
    const journal = new MemoryJournal();
    for (let number = 0; number < 1500; number++) journal.append(entry(number));
    assert.equal(journal.entries.length, 1000);
    assert.deepEqual([journal.entries[0], journal.entries.at(-1)], [entry(500), entry(1499)]);
    journal.close();
  });
});
