import type { LabelOf, Labels, MetricName } from "../contract/metrics.ts";
import type { Cancel } from "./clock.ts";

/** A series with its labels bound: kept by the hot path, so no label is looked up per call. */
export interface Series {
  /** Adds to a counter or gauge (may be negative for gauges). */
  add(value: number): void;
  /** Sets a gauge, or a counter whose total somebody else keeps. */
  set(value: number): void;
  /** Records into a histogram; `request`, and its trace where there is one, are kept as the exemplar of its bucket. */
  observe(value: number, request?: string, trace?: string): void;
}

/** Label values that choose series; a label that is left out matches all values. */
export type LabelMatch = { readonly [Label in LabelOf<MetricName>]?: string };

export interface Telemetry {
  /**
   * The series of a metric for these labels; created on first use, the same object until it is dropped.
   * Values beyond the cap of a label are one series, `_other`.
   */
  series<M extends MetricName>(metric: M, labels: Labels<M>): Series;
  /** Forgets the series with these labels, of one metric or of all: what they counted is gone. */
  drop(labels: LabelMatch, metric?: MetricName): void;
  /** Calls `set` before the metrics are read, for gauges that are looked up instead of counted. */
  onCollect(set: () => void): Cancel;
}
