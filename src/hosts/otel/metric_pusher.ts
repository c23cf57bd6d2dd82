/** Gives all metrics to a collector, now and then and at the end. */
import { ValueType } from "@opentelemetry/api";
import type { NodeSDKConfiguration } from "@opentelemetry/sdk-node";
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { CollectorHealth } from "../../telemetry/collector_health.ts";
import type { Family } from "../../telemetry/family.ts";
import { otelAttributes, otelName } from "../../telemetry/otel_names.ts";
import type { Registry } from "../../telemetry/registry.ts";
import type { SendFailure } from "../../telemetry/span_queue.ts";
import { VERSION } from "../version.ts";
import { SCOPE } from "./runtime.ts";

type Reader = NonNullable<NodeSDKConfiguration["metricReaders"]>[number];
type Producer = Parameters<Reader["setMetricProducer"]>[0];
type Collected = Awaited<ReturnType<Reader["collect"]>>;
export type Metrics = Collected["resourceMetrics"];
type MetricData = Metrics["scopeMetrics"][number]["metrics"][number];
type HistogramData = Extract<
  MetricData,
  { readonly dataPoints: readonly { readonly value: { readonly buckets: unknown } }[] }
>;
type Time = [number, number];

/** As the SDK numbers them. */
const CUMULATIVE = 1 as MetricData["aggregationTemporality"];
const HISTOGRAM = 0 as HistogramData["dataPointType"];
/** Series of one instrument; the registry has its own, smaller bounds. */
const MOST_SERIES = 20_000;

export interface MetricPusherOptions {
  readonly clock: Clock;
  readonly registry: Registry;
  readonly intervalMs: number;
  /** Never rejects. */
  readonly send: (metrics: Metrics) => Promise<SendFailure | undefined>;
  readonly health: CollectorHealth;
}

/** Counters and gauges come from the SDK, which reads them; histograms from the registry as they are. */
export class MetricPusher implements Reader {
  readonly #options: MetricPusherOptions;
  readonly #startedAt: Time;
  readonly #stop: Cancel;
  #producer: Producer | undefined;
  #pushing: Promise<void> | undefined;

  constructor(options: MetricPusherOptions) {
    this.#options = options;
    this.#startedAt = time(options.clock.now());
    this.#stop = options.clock.every(options.intervalMs, () => void this.#push());
  }

  setMetricProducer(producer: Producer): void {
    this.#producer = producer;
  }

  selectAggregation(): ReturnType<Reader["selectAggregation"]> {
    return { type: 0 };
  }

  selectAggregationTemporality(): ReturnType<Reader["selectAggregationTemporality"]> {
    return CUMULATIVE;
  }

  selectCardinalityLimit(): number {
    return MOST_SERIES;
  }

  async collect(): Promise<Collected> {
    const { resourceMetrics, errors } = await (this.#producer as Producer).collect();
    const metrics = this.#histograms();
    const scopeMetrics = [
      ...resourceMetrics.scopeMetrics,
      { scope: { name: SCOPE, version: VERSION }, metrics },
    ];
    return { resourceMetrics: { ...resourceMetrics, scopeMetrics }, errors };
  }

  forceFlush(): Promise<void> {
    return this.#push();
  }

  async shutdown(): Promise<void> {
    await this.close();
  }

  /** Pushes a last time. */
  async close(): Promise<void> {
    this.#stop();
    await this.#pushing;
    await this.#push();
  }

  /** One at a time: a slow collector gets fewer. */
  #push(): Promise<void> {
    return this.#pushing ??= this.#pushOnce().finally(() => this.#pushing = undefined);
  }

  async #pushOnce(): Promise<void> {
    const { send, health } = this.#options;
    try {
      const { resourceMetrics } = await this.collect();
      const failure = await send(resourceMetrics);
      if (failure === undefined) health.worked();
      else health.failed(failure.reason);
    } catch (cause) {
      health.failed(String(cause));
    }
  }

  #histograms(): HistogramData[] {
    const endTime = time(this.#options.clock.now());
    return this.#options.registry.collect().filter(({ kind }) => kind === "histogram")
      .map((family) => histogram(family, this.#startedAt, endTime));
  }
}

function histogram(
  { name: metric, help, bounds, series }: Family,
  startTime: Time,
  endTime: Time,
): HistogramData {
  const { name, unit } = otelName(metric);
  const dataPoints = [...series].map(({ labels, value, counts }) => ({
    startTime,
    endTime,
    attributes: otelAttributes(labels),
    value: {
      buckets: { boundaries: [...bounds], counts: [...counts] },
      sum: value,
      count: counts.reduce((sum, count) => sum + count, 0),
    },
  }));
  return {
    descriptor: { name, unit, description: help, valueType: ValueType.DOUBLE },
    aggregationTemporality: CUMULATIVE,
    dataPointType: HISTOGRAM,
    dataPoints,
  };
}

/** Seconds and nanoseconds. */
function time(ms: number): Time {
  return [Math.floor(ms / 1000), Math.round(ms % 1000 * 1e6)];
}
