/** Values as TOML text. */
import { parse, stringify } from "smol-toml";
import { isTable, type Table } from "./raw.ts";

/** A whole document. */
export function tomlDocument(table: Table): string {
  return stringify(table);
}

/** One value as it stands after `=`; tables become inline tables. */
export function tomlValue(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(", ")}]`;
  if (!isTable(value)) return JSON.stringify(value);
  const pairs = Object.entries(value).map(([key, entry]) =>
    `${tomlKey(key)} = ${tomlValue(entry)}`
  );
  return pairs.length === 0 ? "{}" : `{ ${pairs.join(", ")} }`;
}

/** A key, quoted where TOML asks for it. */
export function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
}

/** What the text after `=` stands for. */
export function parseTomlValue(text: string): unknown {
  return parse(`value = ${text}`)["value"];
}
