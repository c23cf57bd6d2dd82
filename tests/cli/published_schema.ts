/** The published schema of `--json`, held against what commands print. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { outputSchema } from "../../cli/output_schema.ts";
import { CLI_OUTPUTS, type CliKind } from "../../src/contract/cli_outputs.ts";

interface Schema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly [keyword: string]: unknown;
}

const ajv = new Ajv2020({
  strict: true,
  allErrors: true,
  validateFormats: false,
  allowUnionTypes: true,
});
const whole = ajv.compile(outputSchema() as object);
const closed = new Map<string, ReturnType<typeof ajv.compile>>();

/** What is wrong with a printed object; members that the schema does not name count, too. */
export function problemsOf(kind: CliKind, printed: unknown): readonly string[] {
  const problems = isBare(kind) || whole(printed)
    ? []
    : [`no kind of the table: ${ajv.errorsText(whole.errors)}`];
  const check = closed.get(kind) ?? ajv.compile(closedSchema(outputSchema(kind)) as object);
  closed.set(kind, check);
  return check(printed) ? problems : [ajv.errorsText(check.errors)];
}

function isBare(kind: CliKind): boolean {
  return "bare" in CLI_OUTPUTS[kind];
}

/** Programs must ignore members they do not know; our own must all be published. */
function closedSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closedSchema);
  if (typeof schema !== "object" || schema === null) return schema;
  const { properties, ...rest } = schema as Schema;
  const inner = Object.fromEntries(
    Object.entries(rest).map(([keyword, value]) => [keyword, closedSchema(value)]),
  );
  if (properties === undefined) return inner;
  const members = Object.entries(properties).map(([name, value]) => [name, closedSchema(value)]);
  return { ...inner, properties: Object.fromEntries(members), additionalProperties: false };
}
