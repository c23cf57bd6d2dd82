/** The shapes of the management API as tables, read from its OpenAPI document. */
import { openapiDocument } from "../../src/manage/openapi.ts";
import { code, table } from "./markdown.ts";

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

interface Document {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** Longer lists of words are left to the description and to the document. */
const MOST_WORDS = 9;

export function schemas(): Readonly<Record<string, Schema>> {
  return (openapiDocument("") as unknown as Document).components.schemas;
}

/** One shape, for a page that shows those it refers to as well. */
export function shapePart(name: string): string {
  const schema = schemas()[name];
  if (schema === undefined) throw new Error(`There is no shape "${name}"`);
  const rows = [...rowsOf(schema, "")];
  return `### ${name}\n\n${table(["member", "type", "meaning"], rows)}`;
}

/** Members of inner objects stand below them, with a dot. */
function* rowsOf({ properties = {}, required = [] }: Schema, above: string): Generator<string[]> {
  for (const [name, schema] of Object.entries(properties)) {
    const isList = schema.type === "array";
    const full = `${above}${name}${isList ? "[]" : ""}${required.includes(name) ? "" : "?"}`;
    yield [code(full), typeOf(schema), schema.description ?? ""];
    yield* rowsOf((isList ? schema.items : schema) ?? {}, `${above}${name}${isList ? "[]" : ""}.`);
  }
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return linkOf(schema.$ref);
  if (schema.type === "array") return `list of ${schema.items ? typeOf(schema.items) : "values"}`;
  const words = schema.enum ?? [];
  if (words.length > 0 && words.length <= MOST_WORDS) {
    return words.map((word) => code(String(word))).join(", ");
  }
  return schema.format ?? schema.type ?? "any";
}

function linkOf(ref: string): string {
  const name = ref.slice(ref.lastIndexOf("/") + 1);
  return `[${name}](#${name.toLowerCase()})`;
}
