/** Every metric, in one table. Names and labels are a promise to dashboards. */

interface MetricRow {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds, for histograms, in the unit of the name. */
  readonly buckets?: readonly number[];
}

const SECONDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300] as const;

export const METRICS = {
  mcp_server_operation_duration_seconds: {
    kind: "histogram",
    help: "Time to answer a client's call.",
    labels: ["mcp_method_name", "sentinel_outcome"],
    buckets: SECONDS,
  },
  sentinel_requests_in_flight: { kind: "gauge", help: "Calls being answered.", labels: [] },
  sentinel_sessions_active: {
    kind: "gauge",
    help: "Open client sessions.",
    labels: ["network_transport"],
  },
  sentinel_backend_up: {
    kind: "gauge",
    help: "1 while the backend is ready or degraded.",
    labels: ["sentinel_backend"],
  },
  sentinel_backend_restarts_total: {
    kind: "counter",
    help: "Connection attempts after the first.",
    labels: ["sentinel_backend"],
  },
  sentinel_backend_stderr_lines_total: {
    kind: "counter",
    help: "Lines a stdio backend wrote to stderr.",
    labels: ["sentinel_backend"],
  },
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof METRICS;
export type Labels<M extends MetricName> = Record<(typeof METRICS)[M]["labels"][number], string>;
