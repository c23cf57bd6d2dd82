/** What Prometheus computes ahead: series that alerts and people ask for often. */
import { quantile, Series, share, sum } from "../promql.ts";

const series = new Series();
const CALLS = "mcp_server_operation_duration_seconds";

const calls = sum(["job", "sentinel_backend"], series.observed(CALLS));
const errors = sum(
  ["job", "sentinel_backend"],
  // Mistakes of the caller have none.
  series.observed(CALLS, { error_type: { not: "" } }),
);

/** Recorded before what is made of them: rules of a group run in order. */
const BASE = {
  "job_backend:sentinel_calls:rate5m": calls,
  "job_backend:sentinel_call_errors:rate5m": errors,
} as const;

/** By name: what is kept before the first colon, what it is, over which range. */
export const RECORDINGS = {
  ...BASE,
  "job:sentinel_call_errors:ratio_rate5m": share(
    sum(["job"], named(BASE, "job_backend:sentinel_call_errors:rate5m")),
    sum(["job"], named(BASE, "job_backend:sentinel_calls:rate5m")),
  ),
  "job:sentinel_call_seconds:p95_rate5m": quantile(0.95, ["job"], series.buckets(CALLS)),
  "instance:sentinel_gateway_overhead_seconds:p95_rate5m": quantile(
    0.95,
    ["job", "instance"],
    series.buckets("sentinel_gateway_overhead_seconds"),
  ),
  "job:sentinel_auth_failures:rate5m": sum(["job"], series.rate("sentinel_auth_failures_total")),
} as const;

/** A recorded series. */
export function recording<Name extends keyof typeof RECORDINGS>(
  name: Name,
): (typeof RECORDINGS)[Name] {
  return named(RECORDINGS, name);
}

/** The name, with the labels of what it stands for. */
function named<Table, Name extends keyof Table & string>(_table: Table, name: Name): Table[Name] {
  return { text: name } as Table[Name];
}
