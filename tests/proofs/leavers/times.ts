/** How soon backends learn that a client has left its call. */
import { percentile } from "../../../bench/stats.ts";
import type { Seen } from "./points.ts";

/** Milliseconds from leaving, or from the message that cancels, until the backend was told. */
export interface Times {
  readonly median: number;
  readonly p99: number;
  readonly most: number;
}

/** @param told calls that were cancelled */
export function timesOf(told: readonly Seen[]): Times {
  const times = told.map(({ leftAt, noted }) => (noted?.cancelledAt ?? Number.NaN) - leftAt)
    .toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(percentile(times, share) * 10) / 10;
  return { median: at(0.5), p99: at(0.99), most: at(1) };
}

/** The same for each point and form of the answer. */
export function timesByPoint(told: readonly Seen[]): Record<string, Times> {
  const groups = Map.groupBy(
    told,
    ({ leaver: { point, isStreamed } }) => `${point}, ${isStreamed ? "stream" : "JSON"}`,
  );
  return Object.fromEntries([...groups].map(([name, calls]) => [name, timesOf(calls)]));
}
