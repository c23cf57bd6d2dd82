/** Calls: now, by backend, by tool. */
import { quantile, share, sum, top, type Vector } from "../promql.ts";
import { named, type Panel, query } from "./panel.ts";
import { series } from "./series.ts";
import { runtime } from "./states.ts";

const CALLS = "mcp_server_operation_duration_seconds";
const FAILED = { error_type: { not: "" } } as const;
const TOOL_CALLS = { mcp_method_name: "tools/call" } as const;
const MOST_TOOLS = 15;

const calls = sum([], series.observed(CALLS));
const failed = sum([], series.observed(CALLS, FAILED));

export const NOW: readonly Panel[] = [
  {
    kind: "stateStat",
    title: "State",
    about: "Of each gateway. Degraded: calls are served, but something is missing.",
    queries: [query(runtime.number, "instance")],
    states: runtime.states,
    width: 6,
  },
  {
    kind: "stat",
    title: "Calls",
    about: "Messages of clients that were answered, per second.",
    queries: [query(calls)],
    unit: "reqps",
    width: 3,
  },
  {
    kind: "stat",
    title: "Errors",
    about: "Share of calls that failed. Mistakes of callers are none.",
    queries: [query(share(failed, calls))],
    unit: "percentunit",
    thresholds: [{ from: 0.01, color: "yellow" }, { from: 0.05, color: "red" }],
    width: 3,
  },
  {
    kind: "stat",
    title: "p95",
    about: "Nineteen of twenty calls are answered within this time, backend included.",
    queries: [query(quantile(0.95, [], series.buckets(CALLS)))],
    unit: "s",
    width: 3,
  },
  {
    kind: "stat",
    title: "Own overhead p95",
    about: "The same for the time in the gateway itself.",
    queries: [query(quantile(0.95, [], series.buckets("sentinel_gateway_overhead_seconds")))],
    unit: "s",
    thresholds: [{ from: 0.02, color: "yellow" }, { from: 0.05, color: "red" }],
    width: 3,
  },
  {
    kind: "stat",
    title: "Sessions",
    about: "Open sessions of clients.",
    queries: [query(sum([], series.gauge("sentinel_sessions_active")))],
    width: 2,
  },
  {
    kind: "stat",
    title: "Denied",
    about: "Requests that were turned away, per second: sign-in, policy, limits, switches.",
    queries: [query(sum([], series.rate("sentinel_denials_total")))],
    unit: "reqps",
    width: 2,
  },
  {
    kind: "stat",
    title: "Audit dropped",
    about: "Rows of the audit that were dropped in the chosen time. Anything but 0 is a gap.",
    queries: [
      query(
        sum(
          [],
          series.over("$__range").increase("sentinel_audit_records_total", { result: "dropped" }),
        ),
      ),
    ],
    thresholds: [{ from: 1, color: "red" }],
    width: 2,
  },
];

export const BY_BACKEND: readonly Panel[] = [
  {
    kind: "lines",
    title: "Rate by backend",
    about: "Calls per second. Without a backend: what the gateway answers itself, such as lists.",
    queries: [query(sum(["sentinel_backend"], series.observed(CALLS)), "sentinel_backend")],
    unit: "reqps",
    stacked: true,
    width: 12,
  },
  {
    kind: "lines",
    title: "Errors by backend",
    about: "Share of the calls of each backend that failed.",
    queries: [query(
      share(
        sum(["sentinel_backend"], series.observed(CALLS, FAILED)),
        sum(["sentinel_backend"], series.observed(CALLS)),
      ),
      "sentinel_backend",
    )],
    unit: "percentunit",
    width: 12,
  },
  {
    kind: "lines",
    title: "Outcomes",
    about: "How calls ended, per second; docs/metrics.md says what each word means.",
    queries: [query(sum(["sentinel_outcome"], series.observed(CALLS)), "sentinel_outcome")],
    unit: "reqps",
    stacked: true,
    width: 12,
  },
  {
    kind: "lines",
    title: "Duration",
    about: "Of all calls: the median, nineteen of twenty, ninety-nine of a hundred.",
    queries: [0.5, 0.95, 0.99].map((part) =>
      named(`p${part * 100}`, quantile(part, [], series.buckets(CALLS)))
    ),
    unit: "s",
    width: 12,
  },
  {
    kind: "lines",
    title: "p95 by backend",
    about: "What backends need, the gateway's own time left out.",
    queries: [query(
      quantile(
        0.95,
        ["sentinel_backend"],
        series.buckets("mcp_client_operation_duration_seconds"),
      ),
      "sentinel_backend",
    )],
    unit: "s",
    width: 12,
  },
  {
    kind: "heatmap",
    title: "Duration of tool calls",
    about: "How many calls took how long; points are exemplars, with the id of a request.",
    queries: [query(sum(["le"], series.buckets(CALLS, TOOL_CALLS)), "le")],
    unit: "s",
    width: 12,
  },
];

const toolRate = sum(["gen_ai_tool_name"], series.observed(CALLS, TOOL_CALLS));

function worst(vector: Vector<"gen_ai_tool_name">) {
  return [query(top(MOST_TOOLS, vector), "gen_ai_tool_name")];
}

export const TOOLS: readonly Panel[] = [
  {
    kind: "lines",
    title: "Most used",
    about: "Calls per second of the fifteen tools that are called most.",
    queries: worst(toolRate),
    unit: "reqps",
    stacked: true,
    width: 12,
  },
  {
    kind: "lines",
    title: "Most errors",
    about: "Failed calls per second, by tool. A tool that answers isError counts.",
    queries: worst(
      sum(["gen_ai_tool_name"], series.observed(CALLS, { ...TOOL_CALLS, ...FAILED })),
    ),
    unit: "reqps",
    width: 12,
  },
  {
    kind: "lines",
    title: "Slowest",
    about: "p95 of the fifteen slowest tools.",
    queries: worst(quantile(0.95, ["gen_ai_tool_name"], series.buckets(CALLS, TOOL_CALLS))),
    unit: "s",
    width: 12,
  },
  {
    kind: "lines",
    title: "Size of results p95",
    about: "By backend. Large results fill the context of a model.",
    queries: [query(
      quantile(0.95, ["sentinel_backend"], series.buckets("sentinel_tool_result_bytes")),
      "sentinel_backend",
    )],
    unit: "bytes",
    width: 12,
  },
  {
    kind: "trends",
    title: "Calls by tool",
    about: "The fifteen tools that are called most, with their course.",
    queries: worst(toolRate),
    unit: "reqps",
    width: 24,
  },
];
