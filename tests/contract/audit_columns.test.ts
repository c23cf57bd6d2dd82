import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { auditColumns, searchText, storedRow } from "../../src/contract/audit_columns.ts";
import { SentinelError } from "../../src/contract/errors.ts";
import { HOSTILE } from "../stores/audit_sink_suite.ts";
import { FIRST_RUN, rowOf, START } from "../stores/audit_rows.ts";

describe("columns of the audit", () => {
  test("are taken from the row; what it does not have is null", () => {
    const { backend: _, session: __, ...row } = rowOf(7);
    assert.deepEqual(auditColumns(row), {
      instance: FIRST_RUN,
      sequence: 7,
      at: START + 7000,
      kind: "call",
      request: "request 7",
      principal: "https://issuer.test joe",
      name: "files__read",
      backend: null,
      method: "tools/call",
      outcome: "ok",
      session: null,
    });
    assert.ok(Number.isNaN(auditColumns({ ...row, at: "" }).at));
  });

  test("hold every value in a form each database takes, and no two in the same", () => {
    const values = [
      ...HOSTILE,
      ...HOSTILE.map((value) => JSON.stringify(value)),
      "plain",
      "€".repeat(600),
    ];
    const texts = values.map(searchText);
    for (const text of texts) {
      assert.ok(text.isWellFormed() && !text.includes("\0") && text.length <= 530, text);
    }
    assert.equal(new Set(texts).size, new Set(values).size);
    assert.deepEqual(["plain", "files__read", "ü 🛰", "", "a\\b'"].map(searchText), [
      "plain",
      "files__read",
      "ü 🛰",
      "",
      "a\\b'",
    ]);
  });

  test("tell apart long values that differ in one place only", () => {
    const long = "x".repeat(5000);
    const texts = new Set<string>();
    for (let index = 0; index < 5000; index += 7) {
      texts.add(searchText(`${long.slice(0, index)}y${long.slice(index + 1)}`));
    }
    assert.equal(texts.size, Math.ceil(5000 / 7));
  });
});

describe("a stored row", () => {
  test("that was changed into something else is told of", () => {
    assert.throws(() => storedRow('{"instance', "hash"), (error) => {
      assert.ok(error instanceof SentinelError && error.code === "AUDIT_UNAVAILABLE");
      assert.match(error.message, /Cannot read the audit: the stored text .* is no row/);
      return true;
    });
  });
});
