import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { REQUIREMENTS } from "../requirements.ts";
import { gateProblems, proofsOf } from "./proofs.ts";
import { readSource, testFiles } from "./source_files.ts";

const TABLE = { A1: { text: "one" }, B2: { text: "two", open: "not built" } };

function gate(text: string): string[] {
  return gateProblems(TABLE, proofsOf("x.test.ts", text));
}

describe("requirements gate", () => {
  it("accepts a proven id beside an open one", () => {
    assert.deepEqual(gate('describe("x", () => { proves("A1", "holds", () => {}); });'), []);
    assert.deepEqual(gate('proves(["A1"], "holds", () => {});'), []);
  });

  it("refuses an id without proof that is not declared open", () => {
    assert.deepEqual(gate("// proves('A1')"), ["A1 has no proof and is not open"]);
  });

  it("refuses a proof of an unknown id", () => {
    assert.deepEqual(gate('proves(["A1", "Z9"], "holds", () => {});'), [
      "Z9 is no requirement, but cited by x.test.ts",
    ]);
  });

  it("refuses a proof of an id that is declared open", () => {
    assert.deepEqual(gate('proves(["A1", "B2"], "holds", () => {});'), [
      "B2 is declared open, but proven by x.test.ts",
    ]);
  });

  it("refuses ids that are not literals", () => {
    assert.deepEqual(gate('proves("A1", "a", f); proves(ids, "b", f);'), [
      "x.test.ts: write the ids of proves() as literals",
    ]);
  });

  it("refuses a row that is open and partly proven at once", () => {
    const table = { A1: { text: "one", open: "x", partly: "y" } };
    assert.deepEqual(gateProblems(table, []), ["A1 is both open and partly proven"]);
  });

  it("agrees with the tests of this repository", () => {
    const files = testFiles();
    assert.ok(files.length >= 2, `saw only ${files.length} test files`);
    const proofs = files.flatMap((file) => proofsOf(file, readSource(file)));
    assert.deepEqual(gateProblems(REQUIREMENTS, proofs), []);
  });
});
