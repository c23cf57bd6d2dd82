import type { Slice } from "./load.ts";
import { median, pairedRatio } from "./stats.ts";
import type { Role } from "./targets.ts";
import type { Level, Row } from "./throughput.ts";

/** The figures of a slice that can be set against another target's. */
export type Figure = "rate" | "cpuMicros" | "rssMb" | "p50" | "p95" | "p99";

/** Median of one figure over the rounds. */
export function middle(row: Row, figure: Figure): number {
  return median(row.slices.map((slice) => slice[figure]));
}

/** The row of a role on the runtime of `row`; undefined when there is none, as for the backend alone. */
export function sibling(level: Level, row: Row, role: Role): Row | undefined {
  if (row.plan.role === "direct") return undefined;
  return level.rows.find(({ plan }) => plan.role === role && plan.runtime === row.plan.runtime);
}

/** The row of the backend without anything in front of it. */
export function backendAlone(level: Level): Row | undefined {
  return level.rows.find(({ plan }) => plan.role === "direct");
}

/** How many times the figure of `base` a row has, round by round; NaN without a base. */
export function times(row: Row, base: Row | undefined, figure: Figure): number {
  if (!base) return Number.NaN;
  return pairedRatio(figures(row.slices, figure), figures(base.slices, figure));
}

/** How many times the median latency that `base` adds to the backend's own a row adds to it. */
export function addedTimes(row: Row, base: Row | undefined, direct: Row | undefined): number {
  if (!base || !direct) return Number.NaN;
  const added = ({ slices }: Row) =>
    slices.map(({ p50 }, round) => p50 - (direct.slices[round]?.p50 ?? Number.NaN));
  return pairedRatio(added(row), added(base));
}

function figures(slices: readonly Slice[], figure: Figure): number[] {
  return slices.map((slice) => slice[figure]);
}
