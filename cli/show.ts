/** Answers of a gateway on their way to stdout. */
import type { ListRoute, RouteAnswer } from "../src/client/mod.ts";
import type { CliKind, CliOutput } from "../src/contract/cli_outputs.ts";
import { type JsonRoute, MAX_PAGE, ROUTES } from "../src/contract/manage/mod.ts";
import { asFailure, type Connection } from "./management.ts";
import type { GlobalOptions, Output } from "./output.ts";
import { type Column, table } from "./table.ts";
import { visibleCopy } from "./text.ts";

/** What is printed, and how its JSON is called. */
export interface Shown<Name extends JsonRoute> {
  readonly output: Output;
  readonly route: Name;
  readonly answer: RouteAnswer<Name>;
}

/** Prints an answer: as it came for programs, as lines of harmless text for people. */
export function show<Name extends JsonRoute>(
  { output, route, answer }: Shown<Name>,
  lines: (answer: RouteAnswer<Name>) => readonly string[],
): void {
  if (output.isJson) {
    // The table of outputs has the answers of these routes from the same rows.
    output.json(ROUTES[route].schema as CliKind, answer as CliOutput<CliKind>);
    return;
  }
  for (const line of lines(visibleCopy(answer))) output.line(line);
}

/** Options of the commands that print a list. */
export interface ListingOptions extends GlobalOptions {
  readonly filter?: string;
  readonly limit?: number;
  readonly output?: "wide";
}

interface Page {
  readonly items: readonly unknown[];
  readonly next?: string;
}

interface Listed<Name extends ListRoute> {
  readonly connection: Connection;
  readonly route: Name;
  readonly options: Pick<ListingOptions, "filter" | "limit">;
  /** Where to begin. */
  readonly after?: string | undefined;
}

/**
 * All pages as one, or the first `limit` entries; `next` is there when there is more.
 * @throws CommandFailed
 */
export async function listed<Name extends ListRoute>(
  { connection: { client, wait }, route, options, after }: Listed<Name>,
): Promise<RouteAnswer<Name>> {
  const ask = (query: object) =>
    client.request<ListRoute>(route, { query, ...wait }) as Promise<Page>;
  return await asFailure(async () => {
    const items: unknown[] = [];
    let facts = {};
    let from = after;
    for (;;) {
      const limit = Math.min(MAX_PAGE, (options.limit ?? Infinity) - items.length);
      const query = { filter: options.filter, after: from, limit };
      const { items: more, next, ...rest } = await ask(query);
      items.push(...more);
      // What only the first page tells (lost events) stays.
      facts = { ...facts, ...rest };
      const isEnough = options.limit !== undefined && items.length >= options.limit;
      if (next === undefined || next === from || isEnough) {
        return {
          items,
          ...(next === undefined ? {} : { next }),
          ...facts,
        } as unknown as RouteAnswer<Name>;
      }
      from = next;
    }
  });
}

/** Names of the entries of a list, for suggestions. */
export async function namesOf(items: AsyncIterable<{ readonly name: string }>): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of items) names.push(name);
  return names;
}

/** Lines under a heading, after an empty one; nothing when there are none. */
export function section(heading: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", heading, ...lines.map((line) => `  ${line}`)];
}

interface Rows<Row> {
  readonly output: Output;
  readonly options: Pick<ListingOptions, "output">;
  readonly rows: readonly Row[];
  /** What stands there instead of an empty table. */
  readonly empty: string;
}

/** A table as wide as the terminal. */
export function tableOf<Row>(
  { output, options, rows, empty }: Rows<Row>,
  columns: readonly Column<Row>[],
): string[] {
  if (rows.length === 0) return [empty];
  return table(columns, rows, {
    paint: output.paint,
    width: output.width,
    wide: options.output === "wide",
  });
}
