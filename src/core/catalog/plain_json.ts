/** Values as every library reads them: wide numbers (`JSON.rawJSON`) as the nearest double. */
import type { JsonObject } from "../mcp/json.ts";

const { isRawJSON } = JSON as unknown as { readonly isRawJSON: (value: unknown) => boolean };

/** How much work a value is. */
export interface Measure {
  /** Values in it, itself included. */
  nodes: number;
  /** Items of its longest list. */
  longest: number;
  /** It holds a number that is wide. */
  wide: boolean;
}

export function measure(value: unknown): Measure {
  const found: Measure = { nodes: 0, longest: 0, wide: false };
  count(value, found);
  return found;
}

function count(value: unknown, found: Measure): void {
  found.nodes++;
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    if (value.length > found.longest) found.longest = value.length;
    for (const item of value) count(item, found);
    return;
  }
  // Only objects without a prototype can be wide numbers, which spares the others the question.
  if (Object.getPrototypeOf(value) === null && isRawJSON(value)) {
    found.wide = true;
    return;
  }
  for (const key in value) count((value as JsonObject)[key], found);
}

/** A copy with plain numbers; what a double cannot hold is the largest it can. */
export function plainJson(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (isRawJSON(value)) {
    const number = Number(JSON.stringify(value));
    return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, number));
  }
  if (Array.isArray(value)) return value.map(plainJson);
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, plainJson(member)]),
  );
}
