/** Counters, gauges and histograms of the metric table, in memory. */
import { type Labels, type MetricName, METRICS } from "../contract/mod.ts";
import type { Series, Telemetry } from "../ports/telemetry.ts";

/** Series of one metric; a label value beyond them is counted under `_other`. */
const MAX_SERIES = 1000;
const OTHER = "_other";

/** What a series holds: a plain number, or a distribution. */
export interface Reading {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Observations per bucket (not cumulative; the last one is +Inf); empty unless a histogram. */
  readonly counts: readonly number[];
}

class Recorder implements Series, Reading {
  readonly labels: Readonly<Record<string, string>>;
  readonly counts: number[];
  readonly #bounds: readonly number[];
  value = 0;

  constructor(labels: Readonly<Record<string, string>>, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.counts = bounds.length === 0 ? [] : new Array<number>(bounds.length + 1).fill(0);
  }

  add(value: number): void {
    this.value += value;
  }

  set(value: number): void {
    this.value = value;
  }

  observe(value: number): void {
    this.value += value;
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] as number)) bucket++;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
  }
}

export class Registry implements Telemetry {
  readonly #metrics = new Map<MetricName, Map<string, Recorder>>();

  series<M extends MetricName>(metric: M, labels: Labels<M>): Series {
    const known = this.#metrics.get(metric) ?? new Map<string, Recorder>();
    this.#metrics.set(metric, known);
    const bounded = known.size < MAX_SERIES ? labels : others(labels);
    const key = JSON.stringify(bounded);
    const series = known.get(key) ?? new Recorder(bounded, boundsOf(metric));
    known.set(key, series);
    return series;
  }

  /** Everything recorded for a metric. */
  read(metric: MetricName): readonly Reading[] {
    return [...this.#metrics.get(metric)?.values() ?? []];
  }
}

function boundsOf(metric: MetricName): readonly number[] {
  const row = METRICS[metric];
  return "buckets" in row ? row.buckets : [];
}

function others(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.keys(labels).map((key) => [key, OTHER]));
}
