import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openAuditJournal } from "../../../src/stores/file/audit_journal.ts";
import { inFolder } from "../../support/temporary_folder.ts";
import { callRow, FIRST_RUN, SECOND_RUN } from "../../manage/audit_store.ts";

describe("a run that ended in order", () => {
  it("is known to the next one by its last number", () =>
    inFolder(async (folder) => {
      const first = await openAuditJournal(folder, { instance: FIRST_RUN });
      assert.equal(first.ended, undefined);
      for (const sequence of [1, 2]) {
        const row = callRow(sequence);
        first.append({ row, text: JSON.stringify(row) });
      }
      first.delivered({ sequence: 2, hash: "" });
      first.close();
      const second = await openAuditJournal(folder, { instance: SECOND_RUN });
      assert.deepEqual(second.ended, { instance: FIRST_RUN, last: 2 });
      second.close();
    }));

  it("is forgotten when its note cannot be read", () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, "ended.json"), "{");
      const journal = await openAuditJournal(folder, { instance: FIRST_RUN });
      assert.equal(journal.ended, undefined);
      journal.close();
    }));
});
