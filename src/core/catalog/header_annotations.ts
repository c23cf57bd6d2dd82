/**
 * `x-mcp-header` in input schemas. Clients drop a tool that breaks its rules (protocol.md 3.2): where nobody
 * reads the headers, what breaks them goes and the tool stays.
 */
import type { JsonObject } from "../mcp/json.ts";
import { isRecord } from "./members.ts";

const ANNOTATION = "x-mcp-header";
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
const TYPES: ReadonlySet<unknown> = new Set(["string", "integer", "boolean"]);
/** Headers that mean something to everybody on the way. */
const RESERVED =
  /^(?:host|authorization|proxy-.*|cookie|connection|content-.*|transfer-encoding)$/i;
/** Members that hold values, not schemas. */
const VALUES: ReadonlySet<string> = new Set(["enum", "const", "default", "examples", "required"]);

/** What is wrong with the annotations of a schema; undefined when nothing is. */
export function headerProblem(inputSchema: JsonObject): string | undefined {
  const [problem] = new HeaderCheck(inputSchema).broken.values();
  return problem;
}

/** The tool without the annotations that break the rules; the same object when there are none. */
export function withoutBrokenHeaders(tool: JsonObject): JsonObject {
  const { inputSchema } = tool;
  if (!isRecord(inputSchema)) return tool;
  const { broken } = new HeaderCheck(inputSchema);
  return broken.size === 0 ? tool : { ...tool, inputSchema: copyWithout(inputSchema, broken) };
}

/** Where a schema stands: only properties reached through `properties` alone may be annotated. */
type Standing = "outside" | "property" | "nested";

class HeaderCheck {
  /** Schemas with an annotation that breaks the rules, and how. */
  readonly broken = new Map<JsonObject, string>();
  readonly #names = new Map<string, JsonObject>();

  constructor(inputSchema: JsonObject) {
    this.#look(inputSchema, "outside");
  }

  #look(schema: unknown, standing: Standing): void {
    if (Array.isArray(schema)) { for (const one of schema) this.#look(one, "nested"); }
    if (!isRecord(schema)) return;
    const problem = this.#problem(schema, standing);
    if (problem !== undefined) this.broken.set(schema, problem);
    const inner = standing === "nested" ? "nested" : "property";
    for (const [key, value] of Object.entries(schema)) {
      if (VALUES.has(key) || key === ANNOTATION) continue;
      if (key !== "properties") this.#look(value, "nested");
      else if (isRecord(value)) { for (const one of Object.values(value)) this.#look(one, inner); }
    }
  }

  #problem(schema: JsonObject, standing: Standing): string | undefined {
    if (!Object.hasOwn(schema, ANNOTATION)) return undefined;
    const name = schema[ANNOTATION];
    if (standing !== "property") return `"${ANNOTATION}" stands where no property is`;
    if (typeof name !== "string" || !TOKEN.test(name)) {
      return `"${ANNOTATION}" is not the name of a header`;
    }
    if (RESERVED.test(name)) return `"${ANNOTATION}" names the header "${name}"`;
    if (!TYPES.has(schema["type"])) {
      return `"${ANNOTATION}" stands at a property that is no string, integer or boolean`;
    }
    return this.#clash(name, schema);
  }

  /** Of two properties with one header neither has it: nobody could say which is meant. */
  #clash(name: string, schema: JsonObject): string | undefined {
    const first = this.#names.get(name.toLowerCase());
    this.#names.set(name.toLowerCase(), first ?? schema);
    if (first === undefined) return undefined;
    const problem = `"${ANNOTATION}" names "${name}" twice`;
    this.broken.set(first, problem);
    return problem;
  }
}

function copyWithout(value: unknown, broken: ReadonlyMap<JsonObject, string>): unknown {
  if (Array.isArray(value)) return value.map((one) => copyWithout(one, broken));
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).filter(([key]) => key !== ANNOTATION || !broken.has(value));
  return Object.fromEntries(kept.map(([key, one]) => [key, copyWithout(one, broken)]));
}
