/** Values of `Mcp-Name` and `Mcp-Param-*`: text that may not fit a header (specification 2026-07-28, transports). */
import { isObject, type JsonObject } from "./json.ts";

const PREFIX = "=?base64?";
const SUFFIX = "?=";
const PARAMETER = "Mcp-Param-";
const ANNOTATION = "x-mcp-header";
/** Visible ASCII, with single lines of blanks and tabs inside. */
const PLAIN = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
const DECIMAL = /^-?\d{1,40}(?:\.\d{1,40})?$/;
/** Decodes to nothing, as a header that is missing. */
const BROKEN = `${PREFIX}!${SUFFIX}`;
const TYPES: ReadonlySet<unknown> = new Set(["string", "integer", "boolean"]);

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Methods whose target is repeated in `Mcp-Name`, and which parameter names it. */
export const NAMED_BY: ReadonlyMap<string, string> = new Map([
  ["tools/call", "name"],
  ["prompts/get", "name"],
  ["resources/read", "uri"],
  ["tasks/get", "taskId"],
  ["tasks/update", "taskId"],
  ["tasks/cancel", "taskId"],
]);

/** A property whose argument is repeated in a header. */
interface Mirrored {
  /** Names from the arguments' root to the property. */
  readonly path: readonly string[];
  /** Name of the header, as the schema spells it. */
  readonly header: string;
}

/** Schemas are read once: they live as long as the tool they belong to. */
const known = new WeakMap<JsonObject, readonly Mirrored[]>();

/** A text as a header can carry it: plain, or `=?base64?…?=`. */
export function encodeHeaderValue(text: string): string {
  if (PLAIN.test(text) && !isSentinel(text)) return text;
  const bytes = encoder.encode(text);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return PREFIX + btoa(binary) + SUFFIX;
}

/** What a header says, without blanks around it; undefined when its Base64 is broken. */
export function decodeHeaderValue(value: string): string | undefined {
  const text = trimmed(value);
  if (!isSentinel(text)) return text;
  const coded = text.slice(PREFIX.length, -SUFFIX.length);
  if (!BASE64.test(coded)) return undefined;
  try {
    return decoder.decode(Uint8Array.from(atob(coded), (character) => character.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

/**
 * What a call of a tool repeats in headers (`x-mcp-header`): name of the header (`Mcp-Param-Region`) to text, not
 * encoded. Arguments that are absent, null, or no text, number or truth value have none.
 */
export function mirroredParameters(
  inputSchema: JsonObject | undefined,
  args: unknown,
): Map<string, string> {
  const headers = new Map<string, string>();
  for (const { path, header } of inputSchema === undefined ? [] : mirroredBy(inputSchema)) {
    const text = textOf(valueAt(args, path));
    if (text !== undefined) headers.set(header, text);
  }
  return headers;
}

/** The name of the first such header that is missing or says something else; undefined when all agree. */
export function differingParameter(
  inputSchema: JsonObject | undefined,
  args: unknown,
  header: (name: string) => string | undefined,
): string | undefined {
  return (inputSchema === undefined ? [] : mirroredBy(inputSchema)).find((mirrored) => {
    const argument = valueAt(args, mirrored.path);
    const text = textOf(argument);
    if (text === undefined) return false;
    const said = decodeHeaderValue(header(mirrored.header.toLowerCase()) ?? BROKEN);
    return said !== text && !(typeof argument !== "string" && isSameNumber(said, text));
  })?.header;
}

function isSentinel(text: string): boolean {
  return text.length >= PREFIX.length + SUFFIX.length && text.startsWith(PREFIX) &&
    text.endsWith(SUFFIX);
}

/** `42.0` is `42`. */
function isSameNumber(said: string | undefined, text: string): boolean {
  return said !== undefined && DECIMAL.test(said) && DECIMAL.test(text) &&
    Number(said) === Number(text);
}

function trimmed(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value[start])) start++;
  while (end > start && isBlank(value[end - 1])) end--;
  return value.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}

function mirroredBy(schema: JsonObject): readonly Mirrored[] {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const all = propertiesOf(schema, []);
  const lower = all.map(({ header }) => header.toLowerCase());
  // Two properties of one header: clients are not shown such a tool, or not its annotations.
  const found = all.filter((_, at) =>
    lower.indexOf(lower[at] as string) === lower.lastIndexOf(lower[at] as string)
  );
  known.set(schema, found);
  return found;
}

/** Only what is reached through `properties` alone counts. */
function propertiesOf(schema: JsonObject, path: readonly string[]): Mirrored[] {
  const { properties } = schema;
  if (!isObject(properties)) return [];
  return Object.entries(properties).flatMap(([name, property]) => {
    if (!isObject(property)) return [];
    const own = [...path, name];
    const header = property[ANNOTATION];
    const isMirrored = typeof header === "string" && TOKEN.test(header) &&
      TYPES.has(property["type"]);
    return [
      ...(isMirrored ? [{ path: own, header: PARAMETER + header }] : []),
      ...propertiesOf(property, own),
    ];
  });
}

function valueAt(args: unknown, path: readonly string[]): unknown {
  let value = args;
  for (const name of path) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** Numbers a double cannot carry have no header: the other side could not compare them. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  const number = isRawNumber(value) ? Number(value.rawJSON) : value;
  if (typeof number !== "number" || !Number.isFinite(number)) return undefined;
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? undefined : String(number);
}

/** A number of a text that was parsed exactly. */
function isRawNumber(value: unknown): value is { readonly rawJSON: string } {
  return (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(value);
}
