/** The parsed file before it has a shape: any key may hold anything. */
import type { Path } from "./issue.ts";

export type Table = Record<string, unknown>;

/** True for a table; dates, which are objects too, are not. */
export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Date);
}

/** The value at a path, or undefined. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const segment of path) {
    if (typeof value !== "object" || value === null) return undefined;
    if (!Object.hasOwn(value, segment)) return undefined;
    value = (value as Record<string | number, unknown>)[segment];
  }
  return value;
}

/** The table under a key; empty when there is none. */
export function tableAt(root: unknown, ...path: Path): Table {
  const value = valueAt(root, path);
  return isTable(value) ? value : {};
}

/** The text under a key, or undefined. */
export function textAt(root: unknown, ...path: Path): string | undefined {
  const value = valueAt(root, path);
  return typeof value === "string" ? value : undefined;
}

/** The tables of a map, with their names. */
export function tablesOf(map: Table): [string, Table][] {
  return Object.entries(map).filter((entry): entry is [string, Table] => isTable(entry[1]));
}

/** The tables of a list, with their positions. */
export function tablesIn(list: unknown): [number, Table][] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry, index) => isTable(entry) ? [[index, entry]] : []);
}

/** The texts of a list, with their positions. */
export function textsIn(list: unknown): [number, string][] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry, index) => typeof entry === "string" ? [[index, entry]] : []);
}

/** Every text below a value, with its path. */
export function* textsBelow(value: unknown, path: Path = []): Generator<[Path, string]> {
  if (typeof value === "string") yield [path, value];
  if (Array.isArray(value)) {
    for (const [index, entry] of value.entries()) yield* textsBelow(entry, [...path, index]);
  }
  if (isTable(value)) {
    for (const [key, entry] of Object.entries(value)) yield* textsBelow(entry, [...path, key]);
  }
}

/** A copy in which every text is replaced. */
export function mapTexts(
  value: unknown,
  replace: (text: string, path: Path) => string,
  path: Path = [],
): unknown {
  if (typeof value === "string") return replace(value, path);
  if (Array.isArray(value)) {
    return value.map((entry, index) => mapTexts(entry, replace, [...path, index]));
  }
  if (!isTable(value)) return value;
  // No prototype: a key of the name __proto__ stays an ordinary key until it is refused.
  const copy: Table = Object.create(null);
  for (const [key, entry] of Object.entries(value)) {
    copy[key] = mapTexts(entry, replace, [...path, key]);
  }
  return copy;
}

/** How a value looks in a message: short, quoted, without control characters. */
export function quote(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== "string") return String(value);
  const short = value.length > 60 ? `${value.slice(0, 59)}…` : value;
  return printable(JSON.stringify(short));
}

/** Control and direction characters replaced, one for one, so that columns stay and terminals are safe. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
}
