/** Lists of tables: which entry of one list is which of the other. */
import { ANY, type KeyNode } from "../../contract/config/tree.ts";
import { isTable, textAt } from "../raw.ts";
import { isSame } from "./same.ts";

/** One entry in both lists, or in one of them. */
export interface Pair {
  /** What it is called, or its position where entries have no names. */
  readonly name: string;
  readonly before: unknown;
  readonly after: unknown;
  /** Positions; -1 where it is not. */
  readonly from: number;
  readonly to: number;
}

interface Entry {
  readonly value: unknown;
  readonly name: string;
  readonly index: number;
}

/**
 * Pairs entries of one name, equal ones first: during a rotation two tokens share a name, and the one that
 * stays must not look changed. In the order of the second list, what is gone last.
 */
export function pairsOf(
  list: KeyNode,
  before: readonly unknown[],
  after: readonly unknown[],
): Pair[] {
  const nameKey = nameKeyOf(list);
  const entries = namedEntries(after, nameKey);
  const left = Map.groupBy(namedEntries(before, nameKey), ({ name }) => name);
  const partners = new Map<Entry, Entry>();
  const pairUp = (fits: (one: Entry, other: Entry) => boolean): void => {
    for (const entry of entries.filter((candidate) => !partners.has(candidate))) {
      const group = left.get(entry.name) ?? [];
      const index = group.findIndex((candidate) => fits(candidate, entry));
      const [partner] = index < 0 ? [] : group.splice(index, 1);
      if (partner !== undefined) partners.set(entry, partner);
    }
  };
  pairUp((one, other) => isSame(one.value, other.value));
  pairUp(() => true);
  const present = entries.map((entry) => pairOf(partners.get(entry), entry));
  return [...present, ...[...left.values()].flat().map((entry) => pairOf(entry, undefined))];
}

/** True when entries that stay have changed places. */
export function isReordered(pairs: readonly Pair[]): boolean {
  const staying = pairs.filter(({ from, to }) => from >= 0 && to >= 0);
  return staying.some(({ from }, index) => from < (staying[index - 1]?.from ?? -1));
}

function pairOf(before: Entry | undefined, after: Entry | undefined): Pair {
  return {
    name: (after ?? before)?.name ?? "",
    before: before?.value,
    after: after?.value,
    from: before?.index ?? -1,
    to: after?.index ?? -1,
  };
}

/** Entries are known by the first key they cannot do without: a name, an issuer. */
function nameKeyOf(list: KeyNode): string | undefined {
  const keys = [...list.children.get(ANY)?.children ?? []];
  return keys.find(([, node]) => node.required)?.[0];
}

function namedEntries(values: readonly unknown[], nameKey: string | undefined): Entry[] {
  return values.map((value, index) => {
    const name = nameKey === undefined || !isTable(value) ? undefined : textAt(value, nameKey);
    return { value, index, name: name ?? String(index) };
  });
}
