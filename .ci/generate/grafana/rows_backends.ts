/** Backends, what policy does, and the catalog. */
import { compare, max, quantile, sum } from "../promql.ts";
import { type Panel, query } from "./panel.ts";
import { series } from "./series.ts";
import { backends, circuits } from "./states.ts";

const BACKEND = ["sentinel_backend"] as const;
const AT = ["sentinel_backend", "instance"] as const;

export const BACKENDS: readonly Panel[] = [
  {
    kind: "states",
    title: "State",
    about: "Of each backend at each gateway.",
    queries: [query(backends.number, ...AT)],
    states: backends.states,
    width: 12,
  },
  {
    kind: "states",
    title: "Circuit",
    about: "Open: calls are refused without being sent, because too many failed.",
    queries: [query(circuits.number, ...AT)],
    states: circuits.states,
    width: 12,
  },
  {
    kind: "lines",
    title: "Restarts",
    about: "Connections made anew, by reason.",
    queries: [query(
      sum(["sentinel_backend", "reason"], series.increase("sentinel_backend_restarts_total")),
      "sentinel_backend",
      "reason",
    )],
    width: 8,
  },
  {
    kind: "lines",
    title: "Ping p95",
    about: "Time until a backend answered a ping.",
    queries: [query(
      quantile(
        0.95,
        BACKEND,
        series.buckets("sentinel_backend_health_check_duration_seconds", { result: "ok" }),
      ),
      "sentinel_backend",
    )],
    unit: "s",
    width: 8,
  },
  {
    kind: "lines",
    title: "Retries",
    about: "Requests sent again, and those that were not because the budget was used up.",
    queries: [query(
      sum(["sentinel_backend", "reason"], series.rate("sentinel_backend_retries_total")),
      "sentinel_backend",
      "reason",
    )],
    unit: "ops",
    width: 8,
  },
  {
    kind: "lines",
    title: "Calls under way",
    about: "At each backend; what waits because it works on as many as it may stands beside it.",
    queries: [
      query(sum(BACKEND, series.gauge("sentinel_backend_in_flight")), "sentinel_backend"),
      {
        ...query(sum(BACKEND, series.gauge("sentinel_backend_queue_length"))),
        legend: "{{sentinel_backend}} waiting",
      },
    ],
    width: 8,
  },
  {
    kind: "lines",
    title: "Memory of processes",
    about: "Of the processes of each backend, those they started included.",
    queries: [query(
      max(AT, series.gauge("sentinel_backend_process_resident_memory_bytes")),
      ...AT,
    )],
    unit: "bytes",
    width: 8,
  },
  {
    kind: "lines",
    title: "Processor of processes",
    about: "1 is one processor.",
    queries: [query(
      sum(AT, series.rate("sentinel_backend_process_cpu_seconds_total")),
      ...AT,
    )],
    width: 8,
  },
];

export const POLICY: readonly Panel[] = [
  {
    kind: "lines",
    title: "Denials",
    about: "Requests that were turned away, by what turned them away.",
    queries: [query(sum(["reason"], series.rate("sentinel_denials_total")), "reason")],
    unit: "reqps",
    stacked: true,
    width: 8,
  },
  {
    kind: "lines",
    title: "Sign-in failures",
    about: "By what was wrong with the token.",
    queries: [query(sum(["reason"], series.rate("sentinel_auth_failures_total")), "reason")],
    unit: "reqps",
    stacked: true,
    width: 8,
  },
  {
    kind: "lines",
    title: "Over a rate limit",
    about: "By tool and by what set the limit.",
    queries: [query(
      sum(["gen_ai_tool_name", "scope"], series.rate("sentinel_rate_limit_rejections_total")),
      "gen_ai_tool_name",
      "scope",
    )],
    unit: "reqps",
    width: 8,
  },
  {
    kind: "lines",
    title: "Rules",
    about: "Times a rule was true.",
    queries: [query(
      sum(["rule", "action"], series.rate("sentinel_rule_matches_total")),
      "rule",
      "action",
    )],
    unit: "ops",
    width: 8,
  },
  {
    kind: "lines",
    title: "Interceptors p95",
    about: "Time an interceptor took.",
    queries: [query(
      quantile(0.95, ["interceptor"], series.buckets("sentinel_interceptor_duration_seconds")),
      "interceptor",
    )],
    unit: "s",
    width: 8,
  },
  {
    kind: "lines",
    title: "Kill switches",
    about: "How many are set. Every change is marked on all panels.",
    queries: [query(
      max(["instance", "scope"], series.gauge("sentinel_kill_switches_active")),
      "instance",
      "scope",
    )],
    width: 8,
  },
];

export const CATALOG: readonly Panel[] = [
  {
    kind: "lines",
    title: "Tools",
    about: "Of each backend: what the catalog shows, and what it does not.",
    queries: [query(
      max(["sentinel_backend", "visibility"], series.gauge("sentinel_catalog_tools")),
      "sentinel_backend",
      "visibility",
    )],
    width: 8,
  },
  {
    kind: "lines",
    title: "Changes",
    about: "Tools that appeared, went, or changed their definition.",
    queries: [query(
      sum(["sentinel_backend", "change"], series.increase("sentinel_catalog_changes_total")),
      "sentinel_backend",
      "change",
    )],
    width: 8,
  },
  {
    kind: "lines",
    title: "Held definitions",
    about: "Changed definitions that wait for an approval: mcp-sentinel tools approve.",
    queries: [query(
      compare(max(BACKEND, series.gauge("sentinel_definitions_held")), ">", 0),
      "sentinel_backend",
    )],
    width: 8,
  },
];
