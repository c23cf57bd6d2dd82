import { MAX_PAGE, ROUTES } from "../contract/manage/mod.ts";
import type { Query } from "./address.ts";
import { mismatch } from "./call.ts";
import type { Target } from "./options.ts";
import { request } from "./request.ts";
import type { CommonOptions, ListRoute } from "./types.ts";

interface Page {
  readonly items: readonly unknown[];
  readonly next?: string;
}

/** All entries of a list; asks for a page when the one before is used up. */
export async function* allItems(
  target: Target,
  name: ListRoute,
  options: CommonOptions & { readonly query?: Query } = {},
): AsyncGenerator<unknown, void> {
  let query: Query = { limit: MAX_PAGE, ...options.query };
  for (;;) {
    const { items, next } = await request(target, name, { ...options, query }) as Page;
    yield* items;
    if (next === undefined) return;
    if (next === query["after"]) {
      const row = ROUTES[name];
      throw mismatch({ target, row, address: row.path }, "the next page is the same one again");
    }
    query = { ...query, after: next };
  }
}
