import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { argumentSchema } from "../../../src/core/catalog/argument_schema.ts";
import { measure } from "../../../src/core/catalog/plain_json.ts";
import { isCompilable } from "../../../src/hosts/schema_compiler/adaptive.ts";
import { compileVerdict } from "../../../src/hosts/schema_compiler/ajv.ts";
import { interpret } from "../../../src/hosts/schema_compiler/interpreter.ts";
import { seeded } from "../../core/catalog/support.ts";

type Json = Record<string, unknown>;

const NAMES = ["a", "b", "constructor", "x y", "toString"];
const TYPES = ["string", "integer", "number", "boolean", "null", "array", "object"];
const PATTERNS = ["^a", "^[a-z]+$", "b$", "^\\d{2,4}$"];

/** Values and schemas out of the keywords that servers really use, and some they do not. */
class Generator {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)] as Item;
  }

  schema(depth: number): unknown {
    const makers = depth > 3 ? this.#leaves() : [...this.#leaves(), ...this.#holders(depth)];
    const first = this.pick(makers)();
    const both = this.#random() < 0.3 && typeof first === "object";
    return both ? { ...first, ...(this.pick(this.#leaves())() as Json) } : first;
  }

  #leaves(): (() => unknown)[] {
    const number = () => Math.floor(this.#random() * 4);
    return [
      () => ({ type: this.pick(TYPES) }),
      () => ({ type: [this.pick(TYPES), "null"] }),
      () => ({ type: "string", minLength: number(), maxLength: number() + 1 }),
      () => ({ type: "string", pattern: this.pick(PATTERNS) }),
      () => ({ minimum: number() - 1, exclusiveMaximum: number() + 1 }),
      () => ({ enum: [this.value(this.pick([1, 9])), this.value(9), "a"] }),
      () => ({ const: this.value(this.pick([1, 9])) }),
      () => ({ type: "string", nullable: true, format: "email", description: "text" }),
      () => ({ $ref: this.pick(["#/$defs/text", "#/$defs/tree", "#/properties/a"]) }),
      () => this.#random() < 0.5,
    ];
  }

  #holders(depth: number): (() => unknown)[] {
    const inner = () => this.schema(depth + 1);
    return [
      () => this.objectSchema(depth + 1),
      () => ({ type: "array", items: inner(), maxItems: 3, uniqueItems: this.#random() < 0.05 }),
      () => ({ prefixItems: [inner(), inner()], items: inner() }),
      () => ({ items: [inner()], additionalItems: inner() }),
      () => ({ contains: inner(), minContains: 1, maxContains: 2 }),
      () => ({ anyOf: [inner(), inner()] }),
      () => ({ oneOf: [inner(), inner()] }),
      () => ({ allOf: [inner(), inner()] }),
      () => ({ not: inner() }),
      () => Object.fromEntries(["if", "then", "else"].map((keyword) => [keyword, inner()])),
      () => ({ propertyNames: { pattern: this.pick(PATTERNS) }, minProperties: 1 }),
      () => ({ dependentRequired: { a: ["b"] }, dependentSchemas: { b: inner() } }),
      () => ({ patternProperties: { [this.pick(PATTERNS)]: inner() } }),
    ];
  }

  objectSchema(depth: number): Json {
    const properties = Object.fromEntries(
      NAMES.filter(() => this.#random() < 0.6).map((name) => [name, this.schema(depth)]),
    );
    const additionalProperties = this.pick<unknown>([undefined, false, this.schema(depth)]);
    return {
      type: "object",
      properties,
      required: NAMES.filter(() => this.#random() < 0.2),
      ...(additionalProperties === undefined ? {} : { additionalProperties }),
    };
  }

  value(depth: number): unknown {
    const leaves = ["a", "ab", "", "12", "😀", 0, 1, -1, 2.5, 1e21, true, false, null];
    if (depth > 3 || this.#random() < 0.5) return this.pick(leaves);
    if (this.#random() < 0.4) {
      return Array.from({ length: Math.floor(this.#random() * 4) }, () => this.value(depth + 1));
    }
    return this.object(depth);
  }

  object(depth: number): Json {
    const names = [...NAMES, "__proto__"].filter(() => this.#random() < 0.4);
    return JSON.parse(
      `{${names.map((n) => `${JSON.stringify(n)}:${JSON.stringify(this.value(depth + 1))}`)}}`,
    ) as Json;
  }
}

describe("compiled and interpreted checks", () => {
  it("judge generated values by generated schemas alike", () => {
    const counts = { valid: 0, invalid: 0, schemas: 0 };
    for (let seed = 1; seed <= 250; seed++) {
      const generator = new Generator(seed);
      const input: Json = {
        ...generator.objectSchema(0),
        $defs: {
          text: { type: "string" },
          tree: { anyOf: [{ type: "string" }, { type: "array", items: { $ref: "#/$defs/tree" } }] },
        },
      };
      const read = normal(input);
      if (read === undefined || !isCompilable(read)) continue;
      counts.schemas++;
      const compiled = compileVerdict(read);
      const interpreted = interpret(read);
      for (let times = 0; times < 20; times++) {
        const value = generator.object(0);
        const { nodes } = measure(value);
        const problems = interpreted(value, nodes);
        const isValid = compiled(value, nodes);
        counts[isValid ? "valid" : "invalid"]++;
        const shown: string = JSON.stringify({ input, read, value, problems }, undefined, 1);
        assert.equal(problems.length === 0, isValid, `seed ${seed}: ${shown}`);
      }
    }
    assert.ok(counts.schemas > 100 && counts.valid > 200 && counts.invalid > 200);
  });
});

/** Some generated references lead nowhere or in circles. */
function normal(input: Json): Json | undefined {
  try {
    return argumentSchema(input).schema;
  } catch {
    return undefined;
  }
}
