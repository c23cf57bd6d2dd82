/** Values from outside the file: command line options and `SENTINEL_…` variables. */
import { ANY, type KeyNode, keysOf } from "../contract/config/tree.ts";
import type { Path } from "./issue.ts";
import { isTable, type Table, valueAt } from "./raw.ts";

/** One value that wins over the file. */
export interface Override {
  readonly path: Path;
  readonly value: unknown;
  /** The path is a list: the value is put at its end, beside what the file has. */
  readonly append?: true;
  /** For messages: `--listen`, `SENTINEL_SERVER_LISTEN`. */
  readonly source: string;
}

/**
 * Overrides from the environment: `server.listen` is `SENTINEL_SERVER_LISTEN`. Keys below the name of a
 * backend, role or the like have no variable. An empty variable counts as not set; lists are separated by
 * commas.
 */
export function environmentOverrides(
  env: Readonly<Record<string, string | undefined>>,
  root: KeyNode,
): Override[] {
  return [...keysOf(root)].flatMap((node) => {
    const source = variableOf(node);
    const text = source === undefined ? undefined : env[source];
    if (source === undefined || text === undefined || text === "") return [];
    return [{ path: node.path, value: valueOf(text, node), source }];
  });
}

/** The variable that overrides a key, or undefined when there is none. */
export function variableOf(node: KeyNode): string | undefined {
  if (node.path.includes(ANY) || ["table", "map", "date", "anything"].includes(node.kind)) {
    return undefined;
  }
  const entry = node.children.get(ANY);
  if (node.kind === "list" && entry?.kind !== "text" && entry?.kind !== "choice") return undefined;
  return `SENTINEL_${node.path.join("_").toUpperCase()}`;
}

/** Gives every appended value its position, counted from the file's list. */
export function placeAppended(overrides: readonly Override[], file: Table): Override[] {
  const taken = new Map<string, number>();
  return overrides.map(({ append, ...override }) => {
    if (append !== true) return override;
    const { path } = override;
    const id = JSON.stringify(path);
    const list = valueAt(file, path);
    const index = taken.get(id) ?? (Array.isArray(list) ? list.length : 0);
    taken.set(id, index + 1);
    return { ...override, path: [...path, index] };
  });
}

/** A copy of the file in which overrides stand in place of its values. */
export function applyOverrides(tree: Table, overrides: readonly Override[]): Table {
  return overrides.reduce((copy, { path, value }) => withValue(copy, path, value), tree);
}

function withValue(table: Table, [key, ...rest]: Path, value: unknown): Table {
  if (key === undefined) return table;
  if (rest.length === 0) return { ...table, [key]: value };
  const [index] = rest;
  const inner = table[key] ?? (typeof index === "number" ? [] : {});
  if (Array.isArray(inner) && typeof index === "number") {
    return { ...table, [key]: inner.toSpliced(index, 1, value) };
  }
  // Something else than a table is in the way: the schema reports it.
  return isTable(inner) ? { ...table, [key]: withValue(inner, rest, value) } : table;
}

function valueOf(text: string, node: KeyNode): unknown {
  if (node.kind === "list") return text.split(",").map((entry) => entry.trim());
  if (node.kind === "boolean" && (text === "true" || text === "false")) return text === "true";
  if (node.kind === "number" && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  return text;
}
