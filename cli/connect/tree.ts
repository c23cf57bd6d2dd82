/** Values of JSON and TOML without prototypes, to prove that an edit changed what it was to change. */

export type Tree = ReadonlyMap<string, Tree> | readonly Tree[] | string | number | boolean | null;

/** Names that lead to a value. */
export type Keys = readonly string[];

/** The value as a tree; dates and large numbers as texts of their own kind. */
export function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return value.map(treeOf);
  if (value instanceof Date) return `date ${value.toISOString()}`;
  if (typeof value === "bigint") return `integer ${value}`;
  if (typeof value === "object" && value !== null) {
    return new Map(Object.entries(value).map(([key, member]) => [key, treeOf(member)]));
  }
  const isLeaf = typeof value === "string" || typeof value === "number" ||
    typeof value === "boolean";
  return isLeaf ? value : null;
}

/** A table of the tree; undefined for all else. */
export function tableIn(tree: Tree | undefined): ReadonlyMap<string, Tree> | undefined {
  return tree instanceof Map ? tree : undefined;
}

/** The value at a path, or undefined. */
export function treeAt(tree: Tree | undefined, keys: Keys): Tree | undefined {
  return keys.reduce<Tree | undefined>((inner, key) => tableIn(inner)?.get(key), tree);
}

/** A copy with a value at the path; tables that are missing are made. */
export function withValue(tree: Tree | undefined, [key, ...rest]: Keys, value: Tree): Tree {
  if (key === undefined) return value;
  const table = tableIn(tree);
  return new Map([...table ?? [], [key, withValue(table?.get(key), rest, value)]]);
}

/** A copy without the value at the path. */
export function withoutValue(tree: Tree, [key, ...rest]: Keys): Tree {
  const table = tableIn(tree);
  if (table === undefined || key === undefined || !table.has(key)) return tree;
  const inner = table.get(key);
  if (rest.length === 0 || inner === undefined) {
    return new Map([...table].filter(([name]) => name !== key));
  }
  return new Map([...table, [key, withoutValue(inner, rest)]]);
}

/** True for equal values; the order of keys says nothing. */
export function isSameTree(a: Tree | undefined, b: Tree | undefined): boolean {
  return canonical(a) === canonical(b);
}

function canonical(tree: Tree | undefined): string | undefined {
  if (tree instanceof Map) {
    const pairs = [...tree].map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
    return `{${pairs.toSorted().join(",")}}`;
  }
  return Array.isArray(tree) ? `[${tree.map(canonical).join(",")}]` : JSON.stringify(tree);
}

/** The tree as plain JSON. */
export function plainOf(tree: Tree): unknown {
  if (tree instanceof Map) {
    // No prototype, so that a key of the name __proto__ stays one.
    const plain: Record<string, unknown> = Object.create(null);
    for (const [key, member] of tree) plain[key] = plainOf(member);
    return plain;
  }
  return Array.isArray(tree) ? tree.map(plainOf) : tree;
}
