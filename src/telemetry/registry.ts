/** Counters, gauges and histograms of the metric table, in memory. */
import { type Labels, type MetricName, METRICS } from "../contract/metrics.ts";
import type { Cancel } from "../ports/clock.ts";
import type { LabelMatch, Series, Telemetry } from "../ports/telemetry.ts";
import { prefersOpenMetrics } from "./accept.ts";
import { Family } from "./family.ts";
import { renderOpenMetrics, renderPrometheus } from "./exposition.ts";
import type { Reading } from "./recorder.ts";

/** What a scrape is answered with. */
export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

export interface RegistryOptions {
  /** False: no series is told apart by tool (`telemetry.metrics.tool_label`). */
  readonly toolLabel: boolean;
}

const OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

export class Registry implements Telemetry {
  readonly #toolLabel: boolean;
  readonly #families = new Map<MetricName, Family>();
  readonly #collectors = new Set<() => void>();

  /** Series whose labels are all finite exist from now on. */
  constructor({ toolLabel }: RegistryOptions = { toolLabel: true }) {
    this.#toolLabel = toolLabel;
    for (const name of Object.keys(METRICS) as MetricName[]) {
      this.#families.set(name, new Family(name));
    }
  }

  series<M extends MetricName>(metric: M, labels: Labels<M>): Series {
    const known: Readonly<Record<string, string>> = labels;
    return this.#family(metric).of(this.#toolLabel ? known : { ...known, gen_ai_tool_name: "" });
  }

  drop(labels: LabelMatch, metric?: MetricName): void {
    if (metric !== undefined) return this.#family(metric).drop(labels);
    for (const family of this.#families.values()) family.drop(labels);
  }

  onCollect(set: () => void): Cancel {
    this.#collectors.add(set);
    return () => void this.#collectors.delete(set);
  }

  /** Everything recorded for a metric. */
  read(metric: MetricName): readonly Reading[] {
    return [...this.#family(metric).series];
  }

  /** All metrics as they are now, for who writes them in another way. */
  collect(): readonly Family[] {
    for (const set of this.#collectors) set();
    return [...this.#families.values()];
  }

  /** All metrics, in the format the `Accept` header asks for: OpenMetrics 1.0 or Prometheus 0.0.4. */
  expose(accept: string | undefined): Exposition {
    const families = this.collect();
    return prefersOpenMetrics(accept)
      ? { contentType: OPEN_METRICS, text: renderOpenMetrics(families) }
      : { contentType: PROMETHEUS, text: renderPrometheus(families) };
  }

  #family(metric: MetricName): Family {
    return this.#families.get(metric) as Family;
  }
}
