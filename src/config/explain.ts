import type { Reload } from "../contract/config/key.ts";
import { ANY, type KeyNode, keysOf } from "../contract/config/tree.ts";
import { suggest } from "../contract/suggest.ts";
import { formatPath, type Path } from "./issue.ts";
import { variableOf } from "./overrides.ts";
import { CONFIG_TREE } from "./parse.ts";
import { tomlValue } from "./toml.ts";

/** What there is to know about one key, or about a table and the keys in it. */
export interface KeyExplanation {
  /** `backends.*.timeout`; `*` stands for any name. */
  readonly key: string;
  readonly about: string;
  /** In words: `duration`, `one of "a", "b"`, `list of patterns`. */
  readonly type: string;
  readonly required: boolean;
  /** TOML; missing when there is none. */
  readonly default?: string;
  readonly example?: string;
  readonly reload: Reload;
  /** False when the key is accepted but does nothing in this version. */
  readonly effect: boolean;
  readonly secret: boolean;
  /** Environment variable that wins over the file. */
  readonly variable?: string;
  /** Keys of a table, with what they are about. */
  readonly keys: readonly { readonly key: string; readonly about: string }[];
}

/**
 * Explains `server.listen`, `backends.github.timeout` or `backends.timeout`; undefined when there is no such
 * key.
 */
export function explainKey(key: string): KeyExplanation | undefined {
  const node = findKey(CONFIG_TREE, segmentsOf(key));
  return node === undefined ? undefined : explain(node);
}

/** The key that may have been meant. */
export function suggestKey(key: string): string | undefined {
  const keys = [...keysOf(CONFIG_TREE)].map((node) => keyName(node.path));
  const wanted = segmentsOf(key);
  const sameEnd = keys.find((known) => known.split(".").at(-1) === wanted.at(-1));
  return suggest(key, keys) ?? suggest(key, keys.map(withoutStars)) ?? sameEnd;
}

/** Explanations of every key, in the order of the table. */
export function explainAll(): KeyExplanation[] {
  return [...keysOf(CONFIG_TREE)].map(explain);
}

/** `"limits.tools.\"gh__*\".rate"` → its segments. */
export function segmentsOf(key: string): string[] {
  return [...key.matchAll(/"((?:[^"\\]|\\.)*)"|[^."]+/g)].map(([whole, quoted]) => quoted ?? whole);
}

function explain(node: KeyNode): KeyExplanation {
  const variable = variableOf(node);
  const meta = node.meta;
  return {
    key: keyName(node.path),
    about: meta?.about ?? `One entry of ${keyName(node.path.slice(0, -1))}.`,
    type: typeOf(node),
    required: node.required && meta !== undefined,
    ...(node.default === undefined || isEmptyTable(node)
      ? {}
      : { default: tomlValue(node.default) }),
    ...(meta?.example === undefined ? {} : { example: meta.example }),
    reload: meta?.reload ?? "live",
    effect: !node.later,
    secret: node.secret !== undefined,
    ...(variable === undefined ? {} : { variable }),
    keys: subKeys(node),
  };
}

function subKeys(node: KeyNode): KeyExplanation["keys"] {
  const table = node.kind === "table" ? node : node.children.get(ANY);
  return [...(table?.children ?? [])].flatMap(([key, child]) =>
    child.meta === undefined ? [] : [{ key, about: child.meta.about }]
  );
}

function typeOf(node: KeyNode): string {
  const entry = node.children.get(ANY);
  switch (node.kind) {
    case "boolean":
      return "true or false";
    case "choice":
      return `one of ${node.words.map((word) => JSON.stringify(word)).join(", ")}` +
        (node.orNumber ? ", or a number" : "");
    case "list":
      return entry?.kind === "table" ? "list of tables" : `list of ${pluralOf(entry)}`;
    case "map":
      return entry?.kind === "table" ? "named tables" : `table of ${pluralOf(entry)}`;
    case "number":
      return node.noun === "value" ? "number" : `number (${node.noun})`;
    case "table":
      return "table";
    case "anything":
    case "date":
    case "text":
      return node.noun === "value" ? "text" : node.noun;
  }
}

function pluralOf(entry: KeyNode | undefined): string {
  if (entry === undefined || entry.kind === "anything") return "values";
  return entry.kind === "map"
    ? "tables"
    : entry.kind === "choice"
    ? typeOf(entry)
    : `${typeOf(entry)}s`;
}

function isEmptyTable(node: KeyNode): boolean {
  const empty = tomlValue(node.default);
  return node.kind === "table" && empty === "{}";
}

function findKey(node: KeyNode, path: Path): KeyNode | undefined {
  const [first, ...rest] = path;
  if (first === undefined) return node;
  const entry = node.children.get(ANY);
  const named = node.children.get(String(first)) ??
    // The name of the backend or the position in the list may be left out.
    (entry?.kind === "table" ? entry.children.get(String(first)) : undefined);
  const found = named === undefined ? undefined : findKey(named, rest);
  if (found !== undefined) return found;
  return entry === undefined ? undefined : findKey(entry, rest);
}

function keyName(path: Path): string {
  return path.map((segment) => segment === ANY ? ANY : formatPath([segment])).join(".");
}

function withoutStars(key: string): string {
  return key.replaceAll(".*", "");
}
