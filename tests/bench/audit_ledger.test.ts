import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mistakeOf } from "../../bench/audit_ledger.ts";

describe("an audit of the bench", () => {
  it("is complete when every call is stored or on its way", () => {
    assert.equal(mistakeOf({ stored: 90, queued: 10, dropped: 0 }, 100), undefined);
  });

  it("is not when calls lack a row, have one too many, or had it dropped", () => {
    const wrong = [
      { stored: 99, queued: 0, dropped: 0 },
      { stored: 101, queued: 0, dropped: 0 },
      { stored: 100, queued: 0, dropped: 1 },
    ];
    for (const ledger of wrong) {
      assert.match(mistakeOf(ledger, 100) ?? "", /100 calls, but \d+ rows/);
    }
  });
});
