/** One page of a list whose items are numbered in the order they came up. */
import { invalid } from "./input.ts";

export interface NumberedRequest<Item> {
  /** Items with a higher number, by their numbers. */
  readonly from: (after: number) => Iterable<Item & { readonly number: number }>;
  /** Number of the last item of the page before. */
  readonly after: string | undefined;
  readonly limit: number;
  readonly matches: (item: Item) => boolean;
}

/** The number is not part of what is answered. @throws SentinelError INVALID_PARAMS */
export function numberedPage<Item>(
  { from, after, limit, matches }: NumberedRequest<Item>,
): { readonly items: readonly Item[]; readonly next?: string } {
  const items: Item[] = [];
  let last = 0;
  for (const { number, ...rest } of from(numberOf(after))) {
    const item = rest as unknown as Item;
    if (!matches(item)) continue;
    if (items.length === limit) return { items, next: String(last) };
    items.push(item);
    last = number;
  }
  return { items };
}

function numberOf(after: string | undefined): number {
  if (after === undefined) return 0;
  if (/^\d{1,15}$/.test(after)) return Number(after);
  throw invalid('Query parameter "after" cannot be used: it is not the `next` of a page before');
}
