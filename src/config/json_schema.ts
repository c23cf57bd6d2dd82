import { type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import { ConfigSchema } from "../contract/config.ts";
import { ANY, type KeyNode } from "../contract/config/tree.ts";
import { CONFIG_TREE } from "./parse.ts";
import { parseTomlValue } from "./toml.ts";

/** JSON Schema (draft 7) of `sentinel.toml` as it is written, for editors. */
export function jsonSchema(): JsonSchema {
  const schema = toJsonSchema(ConfigSchema, {
    typeMode: "input",
    target: "draft-07",
    // Checks are code; descriptions and examples come from the tree.
    ignoreActions: ["check", "metadata"],
    overrideSchema: ({ valibotSchema }) =>
      valibotSchema.type === "date"
        ? { anyOf: [{ type: "string", format: "date" }, { type: "string", format: "date-time" }] }
        : undefined,
  });
  describe(schema, CONFIG_TREE);
  return { title: "MCP Sentinel configuration", ...schema };
}

function describe(schema: JsonSchema, node: KeyNode): void {
  const { meta } = node;
  if (meta !== undefined) {
    schema.description = node.later ? `${meta.about} (No effect in this version.)` : meta.about;
    if (meta.example !== undefined) schema.examples = [json(parseTomlValue(meta.example))];
  }
  allowReferences(schema);
  for (const [name, child] of node.children) {
    const below = name === ANY
      ? schema.items ?? schema.additionalProperties
      : schema.properties?.[name];
    if (typeof below === "object" && !Array.isArray(below)) describe(below, child);
  }
}

/** A text with a pattern may also be a reference, which only the gateway can resolve. */
function allowReferences(schema: JsonSchema): void {
  if (schema.pattern !== undefined) schema.pattern = `${schema.pattern}|\\$\\{(env|file):`;
}

/** TOML dates become texts. */
function json(value: unknown): NonNullable<JsonSchema["examples"]> extends (infer E)[] ? E : never {
  return JSON.parse(JSON.stringify(value));
}
