/** One page of a list whose items have an order of their own. */

export interface PageRequest<Item> {
  readonly items: readonly Item[];
  /** Unique; items are shown in the order of their keys. */
  readonly keyOf: (item: Item) => string;
  /** Key of the last item of the page before. */
  readonly after: string | undefined;
  readonly limit: number;
  readonly matches: (item: Item) => boolean;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Key to go on with; missing when nothing more matches. */
  readonly next?: string;
}

/** Names and URIs have no bound of their own, but a key has to fit into the query parameter `after`. */
const MAX_KEY = 1500;

/**
 * Key of an item that several texts make unique. Of items that agree in the first 1,500 characters, those
 * behind a page's end are not shown; no catalog has such names.
 */
export function longKey(...parts: readonly string[]): string {
  return parts.join(" ").slice(0, MAX_KEY);
}

interface Keyed<Item> {
  readonly item: Item;
  readonly key: string;
}

/** Items added or removed between two pages shift nothing: a page begins behind a key, not at a place. */
export function pageOf<Item>(
  { items, keyOf, after, limit, matches }: PageRequest<Item>,
): Page<Item> {
  const page: Keyed<Item>[] = [];
  for (const keyed of ordered(items.map((item) => ({ item, key: keyOf(item) })))) {
    if (after !== undefined && keyed.key <= after) continue;
    if (!matches(keyed.item)) continue;
    if (page.length === limit) return { items: itemsOf(page), next: page.at(-1)?.key ?? "" };
    page.push(keyed);
  }
  return { items: itemsOf(page) };
}

function itemsOf<Item>(page: readonly Keyed<Item>[]): Item[] {
  return page.map(({ item }) => item);
}

function ordered<Item>(keyed: readonly Keyed<Item>[]): readonly Keyed<Item>[] {
  const isOrdered = keyed.every(({ key }, index) => (keyed[index - 1]?.key ?? "") <= key);
  return isOrdered ? keyed : keyed.toSorted((a, b) => a.key < b.key ? -1 : Number(a.key > b.key));
}
