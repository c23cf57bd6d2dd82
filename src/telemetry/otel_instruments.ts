/** Counters and gauges of the metric table as instruments that read the registry when somebody collects. */
import type { BatchObservableCallback, Meter, Observable } from "@opentelemetry/api";
import type { MetricName } from "../contract/metrics.ts";
import { otelAttributes, otelName } from "./otel_names.ts";
import type { Registry } from "./registry.ts";

/** Ends it. */
export type Unobserve = () => void;

/**
 * Histograms are not among them: OpenTelemetry has none that are read. An exporter of ours takes them from the
 * registry; for others they are mirrored.
 */
export function observe(meter: Meter, registry: Registry): Unobserve {
  const instruments = new Map<MetricName, Observable>();
  for (const { name: metric, kind, help } of registry.collect()) {
    if (kind === "histogram") continue;
    const { name, unit } = otelName(metric);
    const options = { description: help, unit };
    const instrument = kind === "counter"
      ? meter.createObservableCounter(name, options)
      : meter.createObservableGauge(name, options);
    instruments.set(metric, instrument);
  }
  const read: BatchObservableCallback = (result) => {
    for (const { name, series } of registry.collect()) {
      const instrument = instruments.get(name);
      if (instrument === undefined) continue;
      for (const { labels, value } of series) {
        result.observe(instrument, value, otelAttributes(labels));
      }
    }
  };
  const all = [...instruments.values()];
  meter.addBatchObservableCallback(read, all);
  return () => meter.removeBatchObservableCallback(read, all);
}

/** Histograms of the metric table: what the registry is told from now on, instruments are told too. */
export function mirror(meter: Meter, registry: Registry): Unobserve {
  const families = registry.collect().filter(({ kind }) => kind === "histogram");
  for (const family of families) {
    const { name, unit } = otelName(family.name);
    const explicitBucketBoundaries = [...family.bounds];
    const options = { description: family.help, unit, advice: { explicitBucketBoundaries } };
    const histogram = meter.createHistogram(name, options);
    family.mirror = (labels) => {
      const attributes = otelAttributes(labels);
      return (value) => histogram.record(value, attributes);
    };
  }
  return () => {
    for (const family of families) family.mirror = undefined;
  };
}
