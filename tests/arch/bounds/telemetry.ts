/** Bounds of what is told about calls. */
import type { Area } from "./table.ts";

export const TRACES: Area = {
  title: "Traces",
  keys: {},
  fixed: {
    "core/tracing/trace_context.ts": {
      MAX_STATE: ["`tracestate`", "characters", "it is dropped"],
      MAX_STATE_MEMBERS: ["Its members", "", "it is dropped"],
      MAX_BAGGAGE: ["`baggage`", "characters", "it is dropped"],
    },
    "core/tracing/attributes.ts": {
      MAX_TEXT: ["A caller's own words on a span", "characters", "they are cut"],
      MAX_ARGUMENTS: ["Arguments on a span", "characters", "they are cut"],
    },
    "telemetry/tail.ts": {
      MAX_OPEN: [
        "Calls under way that may turn out worth keeping",
        "",
        "of others only the call's own span is kept",
        { metric: "sentinel_trace_spans_total" },
      ],
      MAX_WAITING: ["Spans of one of them", "", "they are dropped", {
        metric: "sentinel_trace_spans_total",
      }],
    },
    "telemetry/slowness.ts": {
      MAX_KINDS: ["Tools and methods whose usual time is known", "", "the oldest is forgotten"],
    },
    "telemetry/span_queue.ts": {
      MAX_QUEUED: ["Spans that wait for the collector", "", "they are dropped", {
        metric: "sentinel_trace_spans_total",
      }],
      MAX_BATCH: ["Spans that are sent at once", "", "the next batch has them"],
    },
    "hosts/otel/otel.ts": {
      FLUSH_MS: ["Time for what is left when the gateway stops", "ms", "it is dropped", {
        metric: "sentinel_trace_spans_total",
      }],
    },
    "hosts/otel/sdk.ts": {
      SEND_MS: ["Time for one delivery to the collector", "ms", "it is tried again"],
    },
    "hosts/otel/metric_pusher.ts": {
      MOST_SERIES: ["Series of one metric for the collector", "", "they count together"],
    },
  },
};
