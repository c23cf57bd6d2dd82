import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type MetricName, METRICS } from "../../src/contract/metrics.ts";
import { otelAttributes, otelName } from "../../src/telemetry/otel_names.ts";

const SUFFIX: Readonly<Record<string, string>> = { s: "_seconds", By: "_bytes", "": "" };
const NAMES = Object.keys(METRICS) as MetricName[];

/** As a collector writes a metric for Prometheus. */
function prometheusName(metric: MetricName): string {
  const { name, unit } = otelName(metric);
  const total = METRICS[metric].kind === "counter" ? "_total" : "";
  return name.replaceAll(".", "_") + SUFFIX[unit] + total;
}

describe("metrics in the words of OpenTelemetry", () => {
  it("become those of the table again on their way to Prometheus", () => {
    assert.deepEqual(NAMES.map(prometheusName), NAMES);
  });

  it("have the names and attributes of the semantic conventions where there are some", () => {
    assert.deepEqual(otelName("mcp_server_operation_duration_seconds"), {
      name: "mcp.server.operation.duration",
      unit: "s",
    });
    assert.deepEqual(
      otelAttributes({ mcp_method_name: "ping", error_type: "", sentinel_outcome: "ok" }),
      { "mcp.method.name": "ping", "sentinel_outcome": "ok" },
    );
  });
});
