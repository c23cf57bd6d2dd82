import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { argumentSchema } from "../../../src/core/catalog/argument_schema.ts";
import { parseExact } from "../../../src/core/mcp/json.ts";
import type { JsonObject } from "../../../src/core/mcp/json.ts";

/** The normal form of one property. */
function property(schema: unknown, more: JsonObject = {}): unknown {
  const { properties } = argumentSchema({ properties: { x: schema }, ...more }).schema;
  const x = (properties as JsonObject)["x"];
  return JSON.parse(JSON.stringify(x, (key, value) => key === "x-steps" ? undefined : value));
}

describe("the normal form of an input schema", () => {
  it("leaves out what is not checked", () => {
    const annotated = { type: "string", format: "uri", default: "x", title: "t", "x-own": 1 };
    assert.deepEqual(property(annotated), { type: "string" });
    assert.deepEqual(property({ type: "string", pattern: "(a+)+$" }), { type: "string" });
    assert.deepEqual(
      property({ patternProperties: { "(a+)+$": {} }, additionalProperties: false }),
      {},
    );
  });

  it("reads older dialects as they were meant", () => {
    assert.deepEqual(property({ items: [true], additionalItems: false }), {
      prefixItems: [true],
      items: false,
    });
    assert.deepEqual(property({ minimum: 1, exclusiveMinimum: true }), { exclusiveMinimum: 1 });
    assert.deepEqual(property({ dependencies: { a: ["b"], c: true } }), {
      dependentSchemas: { c: true },
      dependentRequired: { a: ["b"] },
    });
    assert.deepEqual(property({ type: "string", nullable: true }), { type: ["string", "null"] });
  });

  it("takes limits wider than a double as the nearest one", () => {
    const schema = parseExact('{"maximum":18446744073709551615,"minimum":-1e400}');
    assert.deepEqual(property(schema), { maximum: 2 ** 64, minimum: -Number.MAX_VALUE });
  });

  it("resolves references by pointer, anchor and own address", () => {
    const more = { $id: "https://example.com/s", $defs: { "a/b": { $anchor: "t", type: "null" } } };
    for (const $ref of ["#/$defs/a~1b", "#t", "https://example.com/s#t"]) {
      assert.deepEqual(property({ $ref }, more), { $ref: "#/$defs/1" }, $ref);
    }
    assert.deepEqual(property({ $ref: "#" }, more), { $ref: "#" });
  });

  it("refuses what cannot be checked, with the reason", () => {
    const refused: readonly (readonly [unknown, RegExp])[] = [
      [{ $ref: "http://example.com/" }, /not fetched/],
      [{ $ref: "#/$defs/none" }, /not there/],
      [{ $ref: "#/properties/x" }, /back to itself/],
      [{ anyOf: [{ not: { $ref: "#/properties/x" } }] }, /back to itself/],
      [{ $dynamicRef: "#a" }, /depend on the way/],
      [{ type: "text" }, /no type of JSON/],
      [{ required: [1] }, /list of names/],
      [{ properties: JSON.parse('{"__proto__":{}}') }, /__proto__/],
      [{ $id: "urn:other", items: { $ref: "#" } }, /"\$id" within/],
    ];
    for (const [schema, reason] of refused) {
      assert.throws(() => property(schema), reason, JSON.stringify(schema));
    }
    let deep: unknown = {};
    for (let level = 0; level < 100; level++) deep = { not: deep };
    assert.throws(() => property(deep), /deeper than 64/);
  });
});
