import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { wrappedSchema } from "../../../src/core/catalog/output_schema.ts";
import type { JsonObject } from "../../../src/core/mcp/json.ts";

const ROW = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };

/** Schemas, with values they accept and refuse. */
const CASES: Readonly<Record<string, { schema: JsonObject; good: unknown[]; bad: unknown[] }>> = {
  "a list": {
    schema: { type: "array", items: { type: "string" } },
    good: [[], ["a"]],
    bad: [[1], {}, null],
  },
  "references to definitions": {
    schema: { type: "array", items: { $ref: "#/$defs/row" }, $defs: { row: ROW } },
    good: [[{ n: 1 }]],
    bad: [[{ n: "1" }], [{}]],
  },
  "a reference to the whole": {
    schema: { type: ["array", "null"], items: { $ref: "#" } },
    good: [null, [], [[null]]],
    bad: [[1], [[{}]]],
  },
  "properties with the names of keywords": {
    schema: {
      anyOf: [{ $ref: "#/$defs/$ref" }, { type: "null" }],
      $defs: {
        $ref: { type: "object", properties: { $ref: ROW, const: { $ref: "#/$defs/n" } } },
        n: { type: "integer" },
      },
    },
    good: [null, { $ref: { n: 1 }, const: 7 }],
    bad: [{ $ref: {} }, { const: "7" }],
  },
  "values that look like references": {
    schema: { enum: [{ $ref: "#/$defs/row" }, 1], default: { $ref: "#" } },
    good: [1, { $ref: "#/$defs/row" }],
    bad: [{ $ref: "#/properties/result/$defs/row" }, 2],
  },
  "an anchor": {
    schema: { type: "array", items: { $ref: "#row" }, $defs: { r: { ...ROW, $anchor: "row" } } },
    good: [[{ n: 1 }]],
    bad: [[{}]],
  },
  "an address of its own": {
    schema: {
      $id: "https://example.com/rows",
      type: "array",
      items: { $ref: "#/$defs/row" },
      $defs: { row: ROW },
    },
    good: [[{ n: 1 }]],
    bad: [[{}]],
  },
  "an escaped name": {
    schema: { type: "array", items: { $ref: "#/$defs/a~1b%20c" }, $defs: { "a/b c": ROW } },
    good: [[{ n: 1 }]],
    bad: [[{}]],
  },
};

describe("a wrapped schema", () => {
  for (const [name, { schema, good, bad }] of Object.entries(CASES)) {
    it(`accepts, as the member "result", what the schema does: ${name}`, () => {
      const plain = new Ajv2020({ strict: false }).compile(schema);
      const wrapped = new Ajv2020({ strict: false }).compile(wrappedSchema(schema));
      for (const value of [...good, ...bad]) {
        assert.equal(plain(value), good.includes(value), JSON.stringify(value));
        assert.equal(wrapped({ result: value }), good.includes(value), JSON.stringify(value));
      }
      assert.equal(wrapped({}), false);
    });
  }

  it("keeps the dialect, also for references that mean the root of the dialect of 2019", () => {
    const $schema = "https://json-schema.org/draft/2019-09/schema";
    const tree = { $schema, type: "array", items: { $recursiveRef: "#" } };
    assert.deepEqual(wrappedSchema(tree), {
      $schema,
      type: "object",
      properties: { result: { $schema, type: "array", items: { $ref: "#/properties/result" } } },
      required: ["result"],
    });
  });
});
