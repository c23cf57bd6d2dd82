import type { LimitStatus } from "../../src/contract/manage/mod.ts";
import { EXIT } from "../exit.ts";
import { connect } from "../management.ts";
import { listed, type ListingOptions, show, tableOf } from "../show.ts";
import type { Column } from "../table.ts";
import type { TargetOptions, TargetRequest } from "../target.ts";
import { briefDuration } from "../text.ts";

interface ListRequest extends TargetRequest {
  readonly options: TargetOptions & ListingOptions;
}

/** Rows of `top` without `--limit`. */
const TOP = 20;

/** Prints the rate limits in use, oldest first. */
export async function listLimits(request: ListRequest): Promise<number> {
  const { output, options } = request;
  const connection = await connect(request);
  const answer = await listed({ connection, route: "limits", options });
  show({ output, route: "limits", answer }, ({ items }) => rows(request, items));
  return EXIT.done;
}

/** Prints those that refused most, then those that are used up most. */
export async function topLimits(request: ListRequest): Promise<number> {
  const { output, options } = request;
  const connection = await connect(request);
  const { filter, limit = TOP } = options;
  const all = await listed({
    connection,
    route: "limits",
    options: filter === undefined ? {} : { filter },
  });
  const answer = { ...all, items: all.items.toSorted(byPressure).slice(0, limit) };
  show({ output, route: "limits", answer }, ({ items }) => rows(request, items));
  return EXIT.done;
}

function rows({ output, options }: ListRequest, items: readonly LimitStatus[]): readonly string[] {
  const empty = options.filter === undefined ? "no limit is in use" : "no limit matches";
  return tableOf({ output, options, rows: items, empty }, COLUMNS);
}

function byPressure(a: LimitStatus, b: LimitStatus): number {
  return b.rejected - a.rejected || b.used / b.burst - a.used / a.burst;
}

const COLUMNS: readonly Column<LimitStatus>[] = [
  { title: "CALLER", text: ({ caller }) => caller, cut: true },
  { title: "NAME", text: ({ name }) => name },
  { title: "LIMIT", text: ({ limit }) => limit, right: true },
  { title: "USED", text: ({ used, burst }) => `${used}/${burst}`, right: true },
  { title: "REJECTED", text: ({ rejected }) => String(rejected), right: true },
  { title: "NEXT TOKEN", text: ({ nextMs }) => wait(nextMs), right: true },
];

function wait(ms: number): string {
  return ms === 0 ? "–" : briefDuration(Math.ceil(ms / 1000));
}
