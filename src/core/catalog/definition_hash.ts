/** The identity of a definition: SHA-256 over its RFC 8785 form, so that others can recompute it. */
import type { Digest } from "../../ports/digest.ts";
import type { JsonObject } from "../mcp/json.ts";
import { isRecord } from "./members.ts";

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** What was hashed before: definitions are never changed once they are read. */
const known = new WeakMap<JsonObject, string>();

/**
 * Hash of a complete definition as received, unknown members included: 64 hexadecimal digits. The order of
 * members does not matter; a number that a double cannot hold counts as it was written.
 */
export function definitionHash(definition: JsonObject, digest: Digest): string {
  const kept = known.get(definition);
  if (kept !== undefined) return kept;
  const hash = digest.sha256(canonicalJson(definition));
  known.set(definition, hash);
  return hash;
}

/** The hash, if it has been taken. */
export function knownHash(definition: JsonObject): string | undefined {
  return known.get(definition);
}

/** RFC 8785: members sorted by UTF-16 code units, nothing between tokens. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  if (!isRecord(value)) return canonicalNumber(JSON.stringify(value));
  const keys = Object.keys(value).toSorted();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`).join()}}`;
}

/**
 * `1.0` is kept as written only because a wide number stands somewhere in the same list: what a double
 * holds exactly must not look like a change.
 */
function canonicalNumber(source: string): string {
  const double = JSON.stringify(Number(source));
  return decimalForm(double) === decimalForm(source) ? double : source;
}

/** One text for each value: digits without zeros at either end, and the power of ten. */
function decimalForm(text: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = DECIMAL.exec(text) ?? [];
  const all = `${whole}${fraction}`.replace(/^0+/, "");
  const digits = withoutEndingZeros(all);
  if (digits === "") return whole === "" ? text : "0";
  return `${sign}${digits}e${Number(exponent) - fraction.length + all.length - digits.length}`;
}

/** A pattern would look for the end from each zero anew. */
function withoutEndingZeros(text: string): string {
  let end = text.length;
  while (text[end - 1] === "0") end--;
  return text.slice(0, end);
}
