/** OpenTelemetry of the runtime itself (`OTEL_DENO`): it samples and exports, as its own variables say. */
import { metrics, trace } from "@opentelemetry/api";
import { mirror, observe } from "../../telemetry/otel_instruments.ts";
import { OtelTracer } from "../../telemetry/otel_tracer.ts";
import { VERSION } from "../version.ts";
import type { OtelOptions, Started } from "./otel.ts";

/** Name of what makes the spans and metrics. */
export const SCOPE = "mcp-sentinel";

/** The runtime exports a last time when the process ends: until then it may read. */
export function useRuntime({ registry, mask }: OtelOptions): Started {
  const meter = metrics.getMeter(SCOPE, VERSION);
  observe(meter, registry);
  mirror(meter, registry);
  return {
    tracer: new OtelTracer({ tracer: trace.getTracer(SCOPE, VERSION), mask }),
    close: () => Promise.resolve(),
  };
}
