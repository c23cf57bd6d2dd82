/** The published JSON Schema (2020-12) of everything that `--json` prints. */
import { type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import { CLI_OUTPUTS, type CliKind, type CliOutputRow } from "../src/contract/cli_outputs.ts";

const DRAFT = "https://json-schema.org/draft/2020-12/schema";

/** One kind by itself, or all of them: the member `schema` of an object tells which of `$defs` it is. */
export function outputSchema(kind?: CliKind): JsonSchema {
  if (kind !== undefined) return { $schema: DRAFT, ...kindSchema(kind, CLI_OUTPUTS[kind]) };
  const kinds = Object.entries<CliOutputRow>(CLI_OUTPUTS);
  return {
    $schema: DRAFT,
    title: "What mcp-sentinel --json prints",
    description:
      "Members may be added within a version, so programs must ignore what they do not know.",
    oneOf: kinds.filter(([, row]) => row.bare !== true)
      .map(([name]) => ({ $ref: `#/$defs/${name}` })),
    $defs: Object.fromEntries(kinds.map(([name, row]) => [name, kindSchema(name, row)])),
  };
}

function kindSchema(name: string, { schema, summary, bare, lines }: CliOutputRow): JsonSchema {
  const { $schema: _draft, ...json } = toJsonSchema(schema, {
    target: "draft-2020-12",
    typeMode: "output",
    ignoreActions: ["readonly", "trim"],
  });
  const about = lines === true ? `${summary} One object a line.` : summary;
  if (bare === true) return { title: name, description: about, ...json };
  const { properties = {}, required = [], ...rest } = json;
  return {
    title: name,
    description: about,
    ...rest,
    properties: { schema: { const: `mcp-sentinel/v1/${name}` }, ...properties },
    required: ["schema", ...required],
  };
}
