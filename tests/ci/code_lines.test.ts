import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeLines } from "../../.ci/test/code_lines.ts";
import { coveredLines } from "../../.ci/test/lcov.ts";

const SOURCE = `import { a } from "./a.ts";
/** A page of
 * documentation. */
export interface Shape {
  readonly name: string;
}
export type { Other } from "./b.ts";

const first = a(1) as unknown as Shape; // runs
export function second(shape: Shape): string {
  if (shape.name === "") {
    return "";
  }
  return shape.name;
}
`;

describe("codeLines", () => {
  it("leaves out imports, comments, types and punctuation", () => {
    assert.deepEqual(codeLines("x.ts", SOURCE), [9, 10, 11, 12, 14]);
  });

  it("finds none in a file of types", () => {
    assert.deepEqual(codeLines("x.ts", "export interface A {\n  b: string;\n}\n"), []);
  });
});

describe("coveredLines", () => {
  it("joins the hits of a file that is reported twice", () => {
    const lcov = "SF:src/a.ts\nDA:1,1\nDA:2,0\nend_of_record\nSF:src/a.ts\nDA:2,3\nend_of_record\n";
    assert.deepEqual([...coveredLines(lcov).get("src/a.ts") ?? []], [1, 2]);
  });
});
