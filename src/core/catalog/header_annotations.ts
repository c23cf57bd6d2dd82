/** `x-mcp-header` in input schemas: a tool that breaks its rules is dropped (protocol.md 3.10). */
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
  return new HeaderCheck().schema(inputSchema, "outside");
}

/** Where a schema stands: only properties reached through `properties` alone may be annotated. */
type Standing = "outside" | "property" | "nested";

class HeaderCheck {
  readonly #names = new Set<string>();

  schema(schema: unknown, standing: Standing): string | undefined {
    if (Array.isArray(schema)) return firstProblem(schema, (one) => this.schema(one, "nested"));
    if (!isRecord(schema)) return undefined;
    return this.#annotation(schema, standing) ??
      firstProblem(Object.entries(schema), ([key, value]) => {
        if (VALUES.has(key) || key === ANNOTATION) return undefined;
        if (key !== "properties") return this.schema(value, "nested");
        const inner = standing === "nested" ? "nested" : "property";
        return firstProblem(
          isRecord(value) ? Object.values(value) : [],
          (one) => this.schema(one, inner),
        );
      });
  }

  #annotation(schema: JsonObject, standing: Standing): string | undefined {
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
    const lower = name.toLowerCase();
    if (this.#names.has(lower)) return `"${ANNOTATION}" names "${name}" twice`;
    this.#names.add(lower);
    return undefined;
  }
}

function firstProblem<Item>(
  items: Iterable<Item>,
  problemOf: (item: Item) => string | undefined,
): string | undefined {
  for (const item of items) {
    const problem = problemOf(item);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
