/** JSON values for expressions, and values of expressions for JSON. */
import { isObject, type JsonObject } from "../mcp/json.ts";
import { rawNumber, toRawNumber } from "./raw_json.ts";

/**
 * The value as expressions read it. A member of the name "constructor" would pass for a type there, and a number
 * kept as text for an object; everything else is the same object again.
 */
export function toCel(value: unknown): unknown {
  if (Array.isArray(value)) return listToCel(value);
  if (!isObject(value)) return value;
  const number = rawNumber(value);
  if (number !== undefined) return numberToCel(number);
  let changed = Object.hasOwn(value, "constructor");
  const entries = Object.entries(value).map(([key, member]) => {
    const seen = toCel(member);
    changed ||= seen !== member;
    return [key, seen] as const;
  });
  return changed ? new Map(entries) : value;
}

function listToCel(list: readonly unknown[]): readonly unknown[] {
  const seen = list.map(toCel);
  return seen.some((item, index) => item !== list[index]) ? seen : list;
}

/** As exact as an expression can have it. */
function numberToCel(text: string): number | bigint {
  if (!/^-?\d+$/.test(text)) return Number(text);
  const whole = BigInt(text);
  return BigInt.asIntN(64, whole) === whole ? whole : Number(text);
}

/** @throws TypeError for a value JSON does not have */
export function fromCel(value: unknown): unknown {
  if (typeof value === "bigint") return toRawNumber(String(value));
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new TypeError("the value is a number JSON does not have");
  }
  if (Array.isArray(value)) return value.map(fromCel);
  if (value instanceof Map) return objectFrom([...value]);
  if (value instanceof Date) return value.toISOString();
  if (!isObject(value) || rawNumber(value) !== undefined) return value;
  if (Object.getPrototypeOf(value) === Object.prototype) return objectFrom(Object.entries(value));
  throw new TypeError("the value is of a type JSON does not have");
}

function objectFrom(entries: readonly (readonly [unknown, unknown])[]): JsonObject {
  return Object.fromEntries(entries.map(([key, member]) => [String(key), fromCel(member)]));
}
