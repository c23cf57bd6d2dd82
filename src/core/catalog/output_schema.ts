/** Output schemas whose root is no object: modern clients read them, others get them wrapped (protocol.md 4.5). */
import type { Era } from "../../contract/mod.ts";
import type { JsonObject } from "../mcp/json.ts";
import { isRecord } from "./members.ts";
import { schemaProblem } from "./schema.ts";

/** Where the schema stands once it is wrapped. */
const ROOT = "#/properties/result";
const DIALECT_2019 = /\/draft\/2019-09\//;
/** Members that hold values, not schemas. */
const VALUES: ReadonlySet<string> = new Set(["const", "enum", "default", "examples"]);
/** Members that hold schemas by names, which may be spelled like members of a schema. */
const NAMED: ReadonlySet<string> = new Set([
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
  "dependencies",
]);

/** Whether a backend of the era may mean other values than objects; one of the legacy era cannot. */
export function isWrapped(outputSchema: unknown, era: Era): outputSchema is JsonObject {
  return era === "modern" && isRecord(outputSchema) && outputSchema["type"] !== "object";
}

/** What makes an output schema unusable in lists; undefined when nothing does. */
export function outputProblem(schema: unknown, era: Era): string | undefined {
  if (!isWrapped(schema, era)) return schemaProblem(schema, "outputSchema");
  const { $schema } = schema;
  if ($schema === undefined || typeof $schema === "string") return undefined;
  return '"outputSchema.$schema" is not a string';
}

/** An object with the value as its one member `result`; references within the schema lead where they led. */
export function wrappedSchema(schema: JsonObject): JsonObject {
  const { $schema } = schema;
  const recursive = typeof $schema === "string" && DIALECT_2019.test($schema) &&
    schema["$recursiveAnchor"] !== true;
  return {
    ...(typeof $schema === "string" ? { $schema } : {}),
    type: "object",
    properties: { result: new Mover(recursive).schema(schema) },
    required: ["result"],
  };
}

class Mover {
  /** `$recursiveRef` means the root. */
  readonly #recursive: boolean;

  constructor(recursive: boolean) {
    this.#recursive = recursive;
  }

  schema(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((one) => this.schema(one));
    if (!isRecord(value) || hasOwnBase(value)) return value;
    const moved = Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, this.#member(key, inner)]),
    );
    return this.#recursive ? withoutRecursion(moved) : moved;
  }

  #member(key: string, value: unknown): unknown {
    if ((key === "$ref" || key === "$dynamicRef") && typeof value === "string") {
      return value === "#" || value.startsWith("#/") ? ROOT + value.slice(1) : value;
    }
    if (VALUES.has(key)) return value;
    if (!NAMED.has(key) || !isRecord(value)) return this.schema(value);
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, this.schema(inner)]),
    );
  }
}

/** What stands within leads from the schema's own address, wherever the schema is put. */
function hasOwnBase({ $id }: JsonObject): boolean {
  return $id !== undefined && !(typeof $id === "string" && $id.startsWith("#"));
}

function withoutRecursion(schema: JsonObject): JsonObject {
  const { $recursiveRef, ...kept } = schema;
  if ($recursiveRef !== "#") return schema;
  if (!Object.hasOwn(kept, "$ref")) return { ...kept, $ref: ROOT };
  const all: readonly unknown[] = Array.isArray(kept["allOf"]) ? kept["allOf"] : [];
  return { ...kept, allOf: [...all, { $ref: ROOT }] };
}
