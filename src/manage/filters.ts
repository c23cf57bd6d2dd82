import { parseFilter } from "../contract/filter.ts";
import { FILTERS } from "../contract/manage/filters.ts";

type Filtered = keyof typeof FILTERS;
type ItemOf<Name extends Filtered> = (typeof FILTERS)[Name] extends
  { readonly texts: (item: infer Item) => unknown } ? Item : never;

/**
 * What the query parameter `filter` of a route lets through; without one everything.
 * @throws SentinelError INVALID_PARAMS
 */
export function filterOf<Name extends Filtered>(
  route: Name,
  text: string | undefined,
  now: number,
): (item: ItemOf<Name>) => boolean {
  if (text === undefined) return () => true;
  const filter = parseFilter<ItemOf<Name>>(text, FILTERS[route] as never, now);
  return (item) => filter.matches(item);
}
