import type { Labels, MetricName } from "../contract/metrics.ts";

/** A series with its labels bound: kept by the hot path, so no label is looked up per call. */
export interface Series {
  /** Adds to a counter or gauge (may be negative for gauges). */
  add(value: number): void;
  /** Sets a gauge. */
  set(value: number): void;
  /** Records into a histogram. */
  observe(value: number): void;
}

export interface Telemetry {
  /** The series of a metric for these labels; created on first use, the same object afterwards. */
  series<M extends MetricName>(metric: M, labels: Labels<M>): Series;
}
