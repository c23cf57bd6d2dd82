/** What somebody should be told of. Each has a section in `docs/operating.md` that says what to do. */
import {
  absent,
  and,
  average,
  compare,
  count,
  divided,
  grouped,
  max,
  or,
  Series,
  sum,
  targetUp,
  times,
  unless,
} from "../promql.ts";
import { type Alert, alert } from "./alert.ts";
import { recording } from "./recordings.ts";

const series = new Series();
const BACKEND = ["job", "instance", "sentinel_backend"] as const;
const TARGET = ["job", "instance"] as const;

/** Away on purpose. */
const disabled = compare(series.gauge("sentinel_backend_state", { state: "disabled" }), "==", 1);

/** Fewer calls say nothing about a share. */
const ENOUGH_CALLS = 20;
const enoughCalls = compare(
  sum(["job"], series.over("10m").observations("mcp_server_operation_duration_seconds")),
  ">",
  ENOUGH_CALLS,
);

const authFailures = recording("job:sentinel_auth_failures:rate5m");
/** The day that ended an hour ago; where there was none yet, no failure is usual. */
const usualAuthFailures = or(average(authFailures, "1d", "1h"), times(authFailures, 0));

const PRESENCE = {
  SentinelAbsent: alert({
    when: absent(series.gauge("sentinel_build_info")),
    holds: "5m",
    severity: "critical",
    summary: () => "No gateway is scraped",
    description:
      "Prometheus has no series of any gateway. Either none runs, or /metrics cannot be read: " +
      "then nothing below can fire.",
  }),
  SentinelDown: alert({
    when: and(
      compare(targetUp(), "==", 0),
      TARGET,
      max(TARGET, series.over("1d").highest("sentinel_build_info")),
    ),
    holds: "2m",
    severity: "critical",
    summary: (put) => `Gateway ${put("instance")} cannot be scraped`,
    description: "It answered within the last day and does not any more.",
  }),
  SentinelFailed: alert({
    when: compare(
      max(TARGET, series.gauge("sentinel_startup_state", { state: "failed" })),
      "==",
      1,
    ),
    holds: "2m",
    severity: "critical",
    summary: (put) => `Gateway ${put("instance")} serves no calls`,
    description:
      "No enabled backend answers, or what calls depend on is lost. Clients get errors for every " +
      "call.",
  }),
  SentinelCrashing: alert({
    when: compare(series.over("15m").changes("process_start_time_seconds"), ">", 2),
    severity: "critical",
    summary: (put) => `Gateway ${put("instance")} keeps starting anew`,
    description: "More than two starts within fifteen minutes: something ends the process.",
  }),
  SentinelOverloaded: alert({
    when: compare(
      sum([...TARGET, "reason"], series.rate("sentinel_requests_shed_total")),
      ">",
      0,
    ),
    holds: "5m",
    severity: "critical",
    summary: (put) => `Gateway ${put("instance")} refuses requests: ${put("reason")}`,
    description: "It is short of time or memory, and answers new requests with OVERLOADED.",
  }),
} as const satisfies Record<string, Alert>;

const BACKENDS = {
  SentinelBackendDown: alert({
    when: unless(
      compare(max(BACKEND, series.gauge("sentinel_backend_up")), "==", 0),
      BACKEND,
      disabled,
    ),
    holds: "5m",
    severity: "critical",
    summary: (put) => `Backend ${put("sentinel_backend")} is away at ${put("instance")}`,
    description: "Calls to it fail at once. The gateway goes on trying by itself.",
  }),
  SentinelBackendRestarting: alert({
    when: compare(
      sum(
        BACKEND,
        series.over("10m").increase("sentinel_backend_restarts_total", {
          reason: { not: ["manual", "config"] },
        }),
      ),
      ">",
      3,
    ),
    severity: "warning",
    summary: (put) => `Backend ${put("sentinel_backend")} keeps restarting at ${put("instance")}`,
    description: "It was connected anew more than three times within ten minutes.",
  }),
  SentinelCircuitOpen: alert({
    // While it is tried, an open circuit is half open for a moment.
    when: compare(
      max(BACKEND, series.gauge("sentinel_backend_circuit_state", { state: "closed" })),
      "==",
      0,
    ),
    holds: "5m",
    severity: "warning",
    summary: (put) => `The circuit of ${put("sentinel_backend")} is open at ${put("instance")}`,
    description: "Its calls failed too often, so they are refused without being sent.",
  }),
} as const satisfies Record<string, Alert>;

const CALLS = {
  SentinelErrorRatio: alert({
    when: and(
      compare(recording("job:sentinel_call_errors:ratio_rate5m"), ">", 0.05),
      ["job"],
      enoughCalls,
    ),
    holds: "10m",
    severity: "critical",
    summary: (put) => `More than 5 % of the calls to ${put("job")} fail`,
    description:
      "Tools that say they failed (isError) count; mistakes of callers, refusals by policy and " +
      "limits do not.",
  }),
  SentinelOverheadHigh: alert({
    when: compare(recording("instance:sentinel_gateway_overhead_seconds:p95_rate5m"), ">", 0.05),
    holds: "10m",
    severity: "warning",
    summary: (put) => `Gateway ${put("instance")} adds more than 50 ms to calls`,
    description: "One call in twenty spends more than that in the gateway itself.",
  }),
  SentinelInterceptorFailing: alert({
    when: compare(
      sum(
        ["job", "interceptor"],
        series.over("10m").increase("sentinel_interceptor_failures_total"),
      ),
      ">",
      0,
    ),
    severity: "warning",
    summary: (put) => `Interceptor ${put("interceptor")} fails`,
    description: "What it could not look at was refused.",
  }),
  SentinelAuthFailures: alert({
    when: and(
      compare(authFailures, ">", times(grouped(usualAuthFailures), 10)),
      ["job"],
      compare(authFailures, ">", 0.2),
    ),
    holds: "5m",
    severity: "warning",
    summary: (put) => `Far more requests to ${put("job")} than usual have no valid token`,
    description: "Ten times as many as within the day before. Somebody tries, or an issuer broke.",
  }),
} as const satisfies Record<string, Alert>;

const RECORDS = {
  SentinelAuditDropped: alert({
    when: compare(
      sum(
        TARGET,
        series.over("15m").increase("sentinel_audit_records_total", { result: "dropped" }),
      ),
      ">",
      0,
    ),
    severity: "critical",
    summary: (put) => `Gateway ${put("instance")} drops rows of the audit`,
    description: "The journal is full and audit.when_full is drop-and-count: calls go unrecorded.",
  }),
  SentinelAuditQueueFull: alert({
    when: compare(
      divided(
        series.gauge("sentinel_audit_journal_bytes"),
        series.gauge("sentinel_audit_queue_capacity"),
      ),
      ">",
      0.8,
    ),
    holds: "5m",
    severity: "critical",
    summary: (put) => `The journal of ${put("instance")} is more than 80 % full`,
    description: "When it is full, calls are refused, or their rows dropped: audit.when_full.",
  }),
  SentinelAuditStoreFailing: alert({
    when: and(
      compare(
        sum(
          TARGET,
          series.over("10m").increase("sentinel_audit_records_total", { result: "failed" }),
        ),
        ">",
        0,
      ),
      TARGET,
      compare(series.gauge("sentinel_audit_queue_length"), ">", 0),
    ),
    holds: "5m",
    severity: "warning",
    summary: (put) => `The audit store of ${put("instance")} takes no rows`,
    description: "Nothing is lost yet: rows wait in the journal on the disk of the gateway.",
  }),
  SentinelSharedStoreDown: alert({
    // Without such a store the gauge is 0 for ever.
    when: and(
      compare(series.gauge("sentinel_shared_store_up"), "==", 0),
      ["job", "store"],
      compare(
        max(["job", "store"], series.over("1d").highest("sentinel_shared_store_up")),
        "==",
        1,
      ),
    ),
    holds: "2m",
    severity: "critical",
    summary: (put) => `Gateway ${put("instance")} cannot use ${put("store")}`,
    description: "Each replica goes on alone: limits, kill switches and sessions are not shared.",
  }),
} as const satisfies Record<string, Alert>;

const CONTROL = {
  SentinelReloadFailed: alert({
    when: compare(series.gauge("sentinel_config_last_reload_successful"), "==", 0),
    holds: "1m",
    severity: "warning",
    summary: (put) => `Gateway ${put("instance")} refused its configuration`,
    description: "What ran before goes on. The next start would fail, or run what was taken back.",
  }),
  SentinelConfigDiffers: alert({
    when: compare(
      count(["job"], count(["job", "hash"], series.gauge("sentinel_config_info"))),
      ">",
      1,
    ),
    holds: "15m",
    severity: "warning",
    summary: (put) => `Gateways of ${put("job")} run different configurations`,
    description: "A roll-out did not reach all of them, so what a call may do depends on chance.",
  }),
  SentinelKillSwitchForgotten: alert({
    when: compare(series.gauge("sentinel_kill_switches_active"), ">", 0),
    holds: "24h",
    severity: "info",
    summary: (put) => `A kill switch (${put("scope")}) of ${put("instance")} is set for a day`,
    description: "Switches are for emergencies: clear it, or write it into the configuration.",
  }),
  SentinelDefinitionHeld: alert({
    when: compare(series.gauge("sentinel_definitions_held"), ">", 0),
    holds: "1h",
    severity: "info",
    summary: (put) => `A changed tool of ${put("sentinel_backend")} waits for an approval`,
    description: "It is neither listed nor called until somebody has looked at the change.",
  }),
} as const satisfies Record<string, Alert>;

/** All alerts, by name. */
export const ALERTS: Readonly<Record<string, Alert>> = {
  ...PRESENCE,
  ...BACKENDS,
  ...CALLS,
  ...RECORDS,
  ...CONTROL,
};
