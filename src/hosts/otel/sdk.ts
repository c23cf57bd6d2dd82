/** The OpenTelemetry SDK with an exporter to a collector over OTLP/HTTP. Loaded after listening, and only when wanted. */
import process from "node:process";
import {
  diag,
  metrics as metricsApi,
  SamplingDecision,
  trace,
  TraceFlags,
} from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { NodeSDK, type NodeSDKConfiguration } from "@opentelemetry/sdk-node";
import type { Config } from "../../contract/mod.ts";
import { CollectorHealth } from "../../telemetry/collector_health.ts";
import { observe } from "../../telemetry/otel_instruments.ts";
import { OtelTracer } from "../../telemetry/otel_tracer.ts";
import { isInSample } from "../../telemetry/sample.ts";
import { type SendFailure, SpanQueue } from "../../telemetry/span_queue.ts";
import { Tail } from "../../telemetry/tail.ts";
import { VERSION } from "../version.ts";
import { MetricPusher } from "./metric_pusher.ts";
import type { OtelOptions, Started } from "./otel.ts";
import { resourceAttributes } from "./resource.ts";
import { SCOPE } from "./runtime.ts";

/** One try of an exporter, its own retries included. */
const SEND_MS = 2000;
/** `OTEL_BSP_SCHEDULE_DELAY`, `OTEL_METRIC_EXPORT_INTERVAL`: what they are without these. */
const SPAN_DELAY_MS = 5000;
const METRIC_INTERVAL_MS = 60_000;

type SpanProcessor = NonNullable<NodeSDKConfiguration["spanProcessors"]>[number];
type Ended = Parameters<SpanProcessor["onEnd"]>[0];
type Sampler = NodeSDKConfiguration["sampler"];
type Decision = ReturnType<Sampler["shouldSample"]>["decision"];

/** Registers it for the process: there is one gateway in each. */
export function startSdk(options: OtelOptions, config: () => Config): Started {
  const { server, telemetry } = config();
  const { traces, metrics } = telemetry;
  const spans = traces.otlp === "" ? undefined : collectSpans(options, traces.otlp);
  const pusher = metrics.otlp === "" ? undefined : pushMetrics(options, metrics.otlp);
  silenceDiagnostics();
  const attributes = resourceAttributes({ name: server.name, instance: options.instance });
  const sdk = new NodeSDK({
    resourceDetectors: [{ detect: () => ({ attributes }) }],
    spanProcessors: spans === undefined ? [] : [spans.processor],
    sampler: sampler(config),
    metricReaders: pusher === undefined ? [] : [pusher],
    logRecordProcessors: [],
    textMapPropagator: null,
  });
  sdk.start();
  const meter = metricsApi.getMeter(SCOPE, VERSION);
  const unobserve = pusher === undefined ? () => {} : observe(meter, options.registry);
  const tracer = trace.getTracer(SCOPE, VERSION);
  return {
    tracer: spans && new OtelTracer({ tracer, mask: options.mask, isKept: spans.tail.isKept }),
    close: async (limitMs) => {
      await Promise.all([spans?.queue.close(limitMs), pusher?.close()]);
      unobserve();
    },
  };
}

function collectSpans({ clock, log, registry }: OtelOptions, base: string) {
  const exporter = new OTLPTraceExporter({
    url: endpoint(base, "v1/traces"),
    timeoutMillis: SEND_MS,
  });
  const health = new CollectorHealth({ log, signal: "traces", endpoint: base });
  const count = (result: "exported" | "sampled_out" | "dropped", spans: number) =>
    registry.series("sentinel_trace_spans_total", { result }).add(spans);
  const queue = new SpanQueue<Ended>({
    clock,
    count,
    delayMs: variable("OTEL_BSP_SCHEDULE_DELAY", SPAN_DELAY_MS),
    send: async (spans) => {
      const failure = await sent((done) => exporter.export([...spans], done));
      if (failure === undefined) health.worked();
      else health.failed(failure.reason);
      return failure;
    },
  });
  const tail = new Tail<Ended>({ keep: (spans) => queue.add(spans), count });
  const processor: SpanProcessor = {
    onStart: (span) => tail.started(span),
    onEnd: (span) => tail.ended(span),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  return { queue, tail, processor };
}

function pushMetrics({ clock, log, registry }: OtelOptions, base: string): MetricPusher {
  const exporter = new OTLPMetricExporter({
    url: endpoint(base, "v1/metrics"),
    timeoutMillis: SEND_MS,
  });
  return new MetricPusher({
    clock,
    registry,
    intervalMs: variable("OTEL_METRIC_EXPORT_INTERVAL", METRIC_INTERVAL_MS),
    send: (collected) => sent((done) => exporter.export(collected, done)),
    health: new CollectorHealth({ log, signal: "metrics", endpoint: base }),
  });
}

/** A trusted caller's decision stands; the sample decides of traces that begin here. All spans are recorded. */
function sampler(config: () => Config): Sampler {
  return {
    shouldSample: (parentContext, traceId) => {
      const parent = trace.getSpanContext(parentContext);
      const isSampled = parent === undefined
        ? isInSample(traceId, config().telemetry.traces.sample)
        : (parent.traceFlags & TraceFlags.SAMPLED) === TraceFlags.SAMPLED;
      const decision: number = isSampled
        ? SamplingDecision.RECORD_AND_SAMPLED
        : SamplingDecision.RECORD;
      return { decision: decision as Decision };
    },
    toString: () => SCOPE,
  };
}

interface Result {
  readonly error?: Error;
  /** 0 when it was taken. */
  readonly code: number;
}

function sent(run: (done: (result: Result) => void) => void): Promise<SendFailure | undefined> {
  return new Promise((resolve) => {
    try {
      run(({ code, error }) => resolve(code === 0 ? undefined : failureOf(error)));
    } catch (cause) {
      resolve({ reason: String(cause), isFinal: true });
    }
  });
}

/** Statuses of refusals that may pass. */
const PASSING: readonly number[] = [408, 429];

function failureOf(error: Error | undefined): SendFailure {
  const status = (error as { readonly code?: unknown } | undefined)?.code;
  const isRefused = typeof status === "number" && status >= 400 && status <= 499;
  const reason = isRefused ? `status ${status}` : error?.message ?? "unknown";
  return { reason, isFinal: isRefused && !PASSING.includes(status) };
}

function endpoint(base: string, path: string): string {
  return `${base.replace(/\/+$/, "")}/${path}`;
}

/** A number of milliseconds in a variable of the standard; another text counts as none. */
function variable(name: string, otherwise: number): number {
  const value = Number(process.env[name] ?? "");
  return Number.isInteger(value) && value > 0 ? value : otherwise;
}

/** The SDK would write them to stdout, which may be the client's (stdio); what matters is an event of ours. */
function silenceDiagnostics(): void {
  delete process.env["OTEL_LOG_LEVEL"];
  diag.disable();
}
