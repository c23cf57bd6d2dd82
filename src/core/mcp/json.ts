/** Parsed JSON object; members are as `JSON.parse` gave them, wide numbers as `JSON.rawJSON`. */
export type JsonObject = { [key: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What `JSON.parse` gives a reviver beside key and value; newer than the compiler's library. */
interface ReviverContext {
  readonly source?: string;
}

interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: ReviverContext) => unknown,
  ): unknown;
  rawJSON(source: string): unknown;
}

const exact = JSON as unknown as ExactJson;

/** Parses so that every number is written back as it was read; slower, for texts the scan calls wide. */
export function parseExact(text: string): unknown {
  return exact.parse(text, (_key, value, { source }) => {
    if (typeof value !== "number" || source === undefined) return value;
    return String(value) === source ? value : exact.rawJSON(source);
  });
}

/** Digits or an exponent a double may not carry; also true for such text within strings. */
const MAYBE_WIDE = /\d{16}|\d[eE]|\.\d{15}/;

/** Parses a text that was scanned earlier, exactly where it has to be. */
export function parse(text: string): unknown {
  return MAYBE_WIDE.test(text) ? parseExact(text) : JSON.parse(text);
}
