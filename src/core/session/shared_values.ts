/** What many clients say alike, kept once: thousands of sessions come from a few kinds of clients. */
import type { JsonObject } from "../mcp/json.ts";

/** Different values that are kept; beyond, all are forgotten and each is kept anew. */
const MAX_VALUES = 256;
/** Characters of JSON text up to which a value is looked for. */
const MAX_TEXT = 2048;

export class SharedValues {
  readonly #objects = new Map<string, JsonObject>();
  readonly #texts = new Map<string, string>();

  /** An equal object, maybe the same; nobody may change it. */
  object(value: JsonObject): JsonObject {
    return shared(this.#objects, JSON.stringify(value), value);
  }

  /** The same text. */
  text(value: string): string {
    return shared(this.#texts, value, value);
  }
}

function shared<Value>(values: Map<string, Value>, text: string, value: Value): Value {
  if (text.length > MAX_TEXT) return value;
  const known = values.get(text);
  if (known !== undefined) return known;
  if (values.size >= MAX_VALUES) values.clear();
  values.set(text, value);
  return value;
}
