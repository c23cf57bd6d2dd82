/**
 * Metrics and labels in the words of OpenTelemetry. A collector that writes them for Prometheus arrives at the
 * names of the table again: it puts `_` for `.`, and adds the unit and `_total`.
 */
import type { MetricName } from "../contract/metrics.ts";

const UNITS: readonly (readonly [ending: string, unit: string])[] = [
  ["_seconds", "s"],
  ["_bytes", "By"],
];
/** Of the semantic conventions; the others are our own and stay as they are. */
const CONVENTIONAL = /^mcp_(?:server|client)_/;
const LABELS: Readonly<Record<string, string>> = {
  mcp_method_name: "mcp.method.name",
  mcp_protocol_version: "mcp.protocol.version",
  gen_ai_tool_name: "gen_ai.tool.name",
  error_type: "error.type",
  rpc_response_status_code: "rpc.response.status_code",
  network_transport: "network.transport",
};

export interface OtelName {
  readonly name: string;
  /** UCUM; `""` for what is only counted. */
  readonly unit: string;
}

export function otelName(metric: MetricName): OtelName {
  const counted = metric.replace(/_total$/, "");
  const [ending = "", unit = ""] = UNITS.find(([known]) => counted.endsWith(known)) ?? [];
  const name = counted.slice(0, counted.length - ending.length);
  return { name: CONVENTIONAL.test(metric) ? name.replaceAll("_", ".") : name, unit };
}

/** Labels as attributes; one without a value is left out. */
export function otelAttributes(
  labels: Readonly<Record<string, string>>,
): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const label in labels) {
    const value = labels[label] as string;
    if (value !== "") attributes[LABELS[label] ?? label] = value;
  }
  return attributes;
}
