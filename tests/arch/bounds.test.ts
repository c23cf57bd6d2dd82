import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { explainKey } from "../../src/config/explain.ts";
import { AREAS } from "./bounds/areas.ts";
import { NOT_BOUNDS, PACES } from "./bounds/exceptions.ts";
import { numbersIn } from "./constants.ts";
import { readSource, sourceFiles } from "./source_files.ts";

/** A constant of this name says how much or how long at most. */
const BOUND = /^(?:MAX|MOST|LONGEST)(?:_|\.|$)|_MS$/;

const NUMBERS = new Map(
  sourceFiles("src").map((file) => [file.replace(/^src\//, ""), numbersIn(file, readSource(file))]),
);

/** Every constant of a list by file, as `file NAME`. */
function places(fixed: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.entries(fixed).flatMap(([file, names]) => names.map((name) => `${file} ${name}`));
}

const ROWS = AREAS.flatMap(({ fixed }) =>
  Object.entries(fixed).flatMap(([file, rows]) =>
    Object.keys(rows).map((name) => `${file} ${name}`)
  )
);

describe("bounds", () => {
  it("every constant with the name of a bound has a row, or is known to be none", () => {
    const known = new Set([...ROWS, ...places(NOT_BOUNDS)]);
    const missing = [...NUMBERS].flatMap(([file, numbers]) =>
      [...numbers.keys()].filter((name) => BOUND.test(name) && !PACES.includes(name))
        .map((name) => `${file} ${name}`)
    ).filter((place) => !known.has(place));
    assert.deepEqual(missing, [], "add a row to tests/arch/bounds, or name it in exceptions.ts");
  });

  it("every row and every exception names a constant that is there", () => {
    const gone = [...ROWS, ...places(NOT_BOUNDS)].filter((place) => {
      const [file = "", name = ""] = place.split(" ");
      return NUMBERS.get(file)?.get(name) === undefined;
    });
    assert.deepEqual(gone, []);
    const names = new Set([...NUMBERS.values()].flatMap((numbers) => [...numbers.keys()]));
    assert.deepEqual(PACES.filter((name) => !names.has(name)), []);
  });

  it("no constant has two rows, or a row and an exception", () => {
    const all = [...ROWS, ...places(NOT_BOUNDS)];
    assert.deepEqual(all.filter((place, index) => all.indexOf(place) !== index), []);
  });

  it("every key is one of the configuration that has an effect", () => {
    const keys = AREAS.flatMap((area) => Object.keys(area.keys));
    assert.deepEqual(keys.filter((key) => explainKey(key)?.effect !== true), []);
  });

  it("a constant is read as it is written", () => {
    const text = "export const A = 2 * 1_024, B = A + 1;\nconst C = x; const D = 'e';\nlet E = 3;" +
      "const F = { g: 1, 'h': 2, i: x } as const;";
    assert.deepEqual([...numbersIn("a.ts", text)], [["A", 2048], ["B", 2049], ["F.g", 1]]);
  });
});
