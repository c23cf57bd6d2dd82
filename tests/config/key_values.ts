/** Small configurations around one key of the table. */
import * as v from "valibot";
import { type Config, ConfigSchema } from "../../src/contract/config.ts";
import { ANY, type KeyNode, keyTree, nodeAt } from "../../src/contract/config/tree.ts";
import { parseTomlValue } from "../../src/config/toml.ts";

type Table = Record<string, unknown>;

const ROOT = keyTree(ConfigSchema);

/** Stands for a key that is not written. */
const UNSET = Symbol("unset");

/** The smallest valid configuration in which a key has this value. */
export function configWith(node: KeyNode, value: unknown): unknown {
  const [last, ...rest] = node.path.toReversed();
  let inner: Table = { ...required(node.path.slice(0, -1)), [String(last)]: value };
  if (value === UNSET) delete inner[String(last)];
  let config: unknown = inner;
  const above = rest.toReversed();
  for (const [index, segment] of rest.entries()) {
    const path = above.slice(0, above.length - index - 1);
    const isList = nodeAt(ROOT, path)?.kind === "list";
    if (segment === ANY) config = isList ? [inner] : { name: inner };
    else config = { ...required(path), [segment]: config };
    inner = config as Table;
  }
  return config;
}

/** The same, parsed. */
function parsedWith(node: KeyNode, value: unknown): Config {
  return v.parse(ConfigSchema, configWith(node, value));
}

/** Examples of the keys a table cannot do without. */
function required(path: readonly string[]): Table {
  const children = [...nodeAt(ROOT, path)?.children ?? []];
  return Object.fromEntries(
    children.filter(([, child]) => child.required && child.meta?.example !== undefined)
      .map(([name, child]) => [name, exampleOf(child)]),
  );
}

/** Two configurations that differ in nothing but the key; undefined when it has one value only. */
export function variantsOf(node: KeyNode): readonly [Config, Config] | undefined {
  if (node.words.length === 1 || node.path.join(".") === "version") return undefined;
  const one = parsedWith(node, node.required ? exampleOf(node) : UNSET);
  const candidates = [exampleOf(node), otherValue(node)];
  for (const value of candidates) {
    const other = v.safeParse(ConfigSchema, configWith(node, value));
    const differs = JSON.stringify(other.output) !== JSON.stringify(one);
    if (other.success && differs) return [one, other.output];
  }
  throw new Error(`Cannot find a second value for ${node.path.join(".")}`);
}

function exampleOf(node: KeyNode): unknown {
  const example = node.meta?.example;
  // What a reference to a URL stands for.
  const text = example?.replace(/\$\{env:\w+_URL\}/, "redis://redis:6379");
  const value = text === undefined ? undefined : parseTomlValue(text);
  // One entry is one change.
  if (node.kind === "map" && value) return Object.fromEntries(Object.entries(value).slice(0, 1));
  if (value !== undefined) return value;
  const entry = node.children.get(ANY);
  if (node.kind === "map") return { name: entry === undefined ? {} : required(entry.path) };
  if (node.kind === "list") return [required([...node.path, ANY])];
  return required(node.path);
}

/** For keys whose example is their default, or that cannot do without one. */
function otherValue({ kind, words, unit, noun }: KeyNode): unknown {
  if (words.length > 0) return words.at(-1);
  if (kind === "number") return 17;
  if (kind === "boolean") return true;
  if (unit === "duration") return "7s";
  if (unit === "size") return "7MiB";
  if (unit === "rate") return "7/d";
  if (noun === "path") return "/other";
  if (kind === "list") return [];
  return noun === "listen address" ? "127.0.0.1:7" : "other";
}
