/** What each alert fires for, and what it must not fire for: series as Prometheus would have scraped them. */

export interface AlertCase {
  readonly alert: string;
  readonly about: string;
  /** Time between values; default: a minute. */
  readonly every?: string;
  /** Values in the notation of promtool, by series. */
  readonly series: Readonly<Record<string, string>>;
  /** When to look, such as `6m`. */
  readonly at: string;
  /** Labels of what fires then, beside `severity`; none: it is quiet. */
  readonly fires: readonly Readonly<Record<string, string>>[];
}

const A = { job: "sentinel", instance: "a:8809" };
const B = { job: "sentinel", instance: "b:8809" };
const N8N = { sentinel_backend: "n8n" };

/** A series of gateway A unless it says otherwise. */
function of(metric: string, labels: Readonly<Record<string, string>> = {}): string {
  const all = Object.entries({ ...A, ...labels }).map(([name, value]) => `${name}="${value}"`);
  return `${metric}{${all.join(",")}}`;
}

const CALLS = "mcp_server_operation_duration_seconds_count";
const OVERHEAD = "sentinel_gateway_overhead_seconds_bucket";

/** So many calls a minute, of which some time out. */
function calls(good: number, failed: number): Readonly<Record<string, string>> {
  return {
    [of(CALLS, { sentinel_outcome: "ok", ...N8N })]: `0+${good}x60`,
    [of(CALLS, { sentinel_outcome: "timeout", error_type: "-31008", ...N8N })]: `0+${failed}x60`,
  };
}

function overhead(upTo10ms: string, upTo100ms: string): Readonly<Record<string, string>> {
  const method = { mcp_method_name: "tools/call" };
  return {
    [of(OVERHEAD, { ...method, le: "0.01" })]: upTo10ms,
    [of(OVERHEAD, { ...method, le: "0.1" })]: upTo100ms,
    [of(OVERHEAD, { ...method, le: "+Inf" })]: upTo100ms,
  };
}

const failures = (values: string) => ({
  [of("sentinel_auth_failures_total", { reason: "expired" })]: values,
});

const CALL_CASES: readonly AlertCase[] = [
  {
    alert: "SentinelErrorRatio",
    about: "one call in ten",
    series: calls(90, 10),
    at: "20m",
    fires: [{ job: A.job }],
  },
  {
    alert: "SentinelErrorRatio",
    about: "one call in ten, for nine minutes",
    series: calls(90, 10),
    at: "9m",
    fires: [],
  },
  {
    alert: "SentinelErrorRatio",
    about: "three of a hundred",
    series: calls(97, 3),
    at: "20m",
    fires: [],
  },
  {
    alert: "SentinelErrorRatio",
    about: "half of very few",
    series: calls(0.5, 0.5),
    at: "40m",
    fires: [],
  },
  {
    alert: "SentinelErrorRatio",
    about: "no failure at all",
    series: { [of(CALLS, { sentinel_outcome: "ok", ...N8N })]: "0+90x60" },
    at: "20m",
    fires: [],
  },
  {
    alert: "SentinelOverheadHigh",
    about: "between 10 and 100 ms",
    series: overhead("0x40", "0+10x40"),
    at: "20m",
    fires: [A],
  },
  {
    alert: "SentinelOverheadHigh",
    about: "below 10 ms",
    series: overhead("0+10x40", "0+10x40"),
    at: "20m",
    fires: [],
  },
  {
    alert: "SentinelInterceptorFailing",
    about: "one that failed once",
    series: {
      [of("sentinel_interceptor_failures_total", { interceptor: "rules" })]: "0 0 1 1 1 1",
    },
    at: "4m",
    fires: [{ job: A.job, interceptor: "rules" }],
  },
  {
    alert: "SentinelInterceptorFailing",
    about: "one that failed long ago",
    series: { [of("sentinel_interceptor_failures_total", { interceptor: "rules" })]: "0 1 1x30" },
    at: "25m",
    fires: [],
  },
  {
    alert: "SentinelAuthFailures",
    about: "one in a second after none",
    series: failures("0x120 0+60x30"),
    at: "135m",
    fires: [{ job: A.job }],
  },
  {
    alert: "SentinelAuthFailures",
    about: "one in a second, on the first day",
    series: failures("0+60x30"),
    at: "15m",
    fires: [{ job: A.job }],
  },
  {
    alert: "SentinelAuthFailures",
    about: "one in a second, as always",
    series: failures("0+60x240"),
    at: "200m",
    fires: [],
  },
  {
    alert: "SentinelAuthFailures",
    about: "a few after none",
    series: failures("0x120 0+6x30"),
    at: "135m",
    fires: [],
  },
];

const PRESENCE_CASES: readonly AlertCase[] = [
  {
    alert: "SentinelAbsent",
    about: "other targets only",
    series: { 'up{job="node",instance="c:9100"}': "1x20" },
    at: "6m",
    fires: [{}],
  },
  {
    alert: "SentinelAbsent",
    about: "a gateway",
    series: { [of("sentinel_build_info", { version: "1.0.0" })]: "1x20" },
    at: "6m",
    fires: [],
  },
  {
    alert: "SentinelDown",
    about: "a gateway that went",
    series: {
      [of("up")]: "1x5 0x30",
      [of("sentinel_build_info", { version: "1.0.0" })]: "1x5 _x30",
    },
    at: "9m",
    fires: [A],
  },
  {
    alert: "SentinelDown",
    about: "a target that never was a gateway",
    series: { [of("up")]: "0x30" },
    at: "9m",
    fires: [],
  },
  {
    alert: "SentinelFailed",
    about: "no backend answers",
    series: { [of("sentinel_startup_state", { state: "failed" })]: "0x3 1x20" },
    at: "7m",
    fires: [A],
  },
  {
    alert: "SentinelFailed",
    about: "for a moment",
    series: { [of("sentinel_startup_state", { state: "failed" })]: "0x3 1 0x20" },
    at: "7m",
    fires: [],
  },
  {
    alert: "SentinelCrashing",
    about: "three starts in a quarter of an hour",
    series: { [of("process_start_time_seconds")]: "100 100 200 200 300 300 400 400 400" },
    at: "8m",
    fires: [A],
  },
  {
    alert: "SentinelCrashing",
    about: "one restart",
    series: { [of("process_start_time_seconds")]: "100 100 200 200 200 200 200 200 200" },
    at: "8m",
    fires: [],
  },
  {
    alert: "SentinelOverloaded",
    about: "requests are refused",
    series: { [of("sentinel_requests_shed_total", { reason: "lag" })]: "0+10x20" },
    at: "8m",
    fires: [{ ...A, reason: "lag" }],
  },
  {
    alert: "SentinelOverloaded",
    about: "none is",
    series: { [of("sentinel_requests_shed_total", { reason: "lag" })]: "10x20" },
    at: "8m",
    fires: [],
  },
];

const BACKEND_CASES: readonly AlertCase[] = [
  {
    alert: "SentinelBackendDown",
    about: "away for more than five minutes",
    series: {
      [of("sentinel_backend_up", { ...N8N, kind: "http" })]: "1x2 0x20",
      [of("sentinel_backend_state", { ...N8N, state: "disabled" })]: "0x20",
    },
    at: "9m",
    fires: [{ ...A, ...N8N }],
  },
  {
    alert: "SentinelBackendDown",
    about: "away for four minutes",
    series: { [of("sentinel_backend_up", { ...N8N, kind: "http" })]: "1x2 0x20" },
    at: "7m",
    fires: [],
  },
  {
    alert: "SentinelBackendDown",
    about: "off on purpose",
    series: {
      [of("sentinel_backend_up", { ...N8N, kind: "http" })]: "0x20",
      [of("sentinel_backend_state", { ...N8N, state: "disabled" })]: "1x20",
    },
    at: "15m",
    fires: [],
  },
  {
    alert: "SentinelBackendDown",
    about: "found out how it is reached",
    series: {
      [of("sentinel_backend_up", { ...N8N, kind: "http" })]: "0x2 _x20",
      [of("sentinel_backend_up", { ...N8N, kind: "http_sse" })]: "_x3 1x20",
    },
    at: "15m",
    fires: [],
  },
  {
    alert: "SentinelBackendRestarting",
    about: "an exit a minute",
    series: { [of("sentinel_backend_restarts_total", { ...N8N, reason: "exit" })]: "0+1x20" },
    at: "12m",
    fires: [{ ...A, ...N8N }],
  },
  {
    alert: "SentinelBackendRestarting",
    about: "an operator who tries",
    series: { [of("sentinel_backend_restarts_total", { ...N8N, reason: "manual" })]: "0+1x20" },
    at: "12m",
    fires: [],
  },
  {
    alert: "SentinelCircuitOpen",
    about: "open, and half open now and then",
    series: {
      [of("sentinel_backend_circuit_state", { ...N8N, state: "closed" })]: "1x2 0x20",
      [of("sentinel_backend_circuit_state", { ...N8N, state: "open" })]: "0x2 1x3 0 1x20",
      [of("sentinel_backend_circuit_state", { ...N8N, state: "half_open" })]: "0x6 1 0x20",
    },
    at: "9m",
    fires: [{ ...A, ...N8N }],
  },
  {
    alert: "SentinelCircuitOpen",
    about: "closed again in time",
    series: {
      [of("sentinel_backend_circuit_state", { ...N8N, state: "closed" })]: "1x2 0x3 1x20",
    },
    at: "9m",
    fires: [],
  },
];

const rows = (result: string, values: string) => ({
  [of("sentinel_audit_records_total", { result })]: values,
});
const journal = (bytes: number) => ({
  [of("sentinel_audit_journal_bytes")]: `${bytes}x20`,
  [of("sentinel_audit_queue_capacity")]: "1000x20",
});

const RECORD_CASES: readonly AlertCase[] = [
  {
    alert: "SentinelAuditDropped",
    about: "five rows",
    series: rows("dropped", "0 0 5 5 5 5"),
    at: "4m",
    fires: [A],
  },
  {
    alert: "SentinelAuditDropped",
    about: "none",
    series: rows("dropped", "0x20"),
    at: "10m",
    fires: [],
  },
  {
    alert: "SentinelAuditQueueFull",
    about: "nine tenths",
    series: journal(900),
    at: "6m",
    fires: [A],
  },
  {
    alert: "SentinelAuditQueueFull",
    about: "seven tenths",
    series: journal(700),
    at: "6m",
    fires: [],
  },
  {
    alert: "SentinelAuditQueueFull",
    about: "no audit",
    series: {
      [of("sentinel_audit_journal_bytes")]: "0x20",
      [of("sentinel_audit_queue_capacity")]: "0x20",
    },
    at: "6m",
    fires: [],
  },
  {
    alert: "SentinelAuditStoreFailing",
    about: "deliveries fail and rows wait",
    series: { ...rows("failed", "0+1x20"), [of("sentinel_audit_queue_length")]: "5x20" },
    at: "8m",
    fires: [A],
  },
  {
    alert: "SentinelAuditStoreFailing",
    about: "deliveries failed and nothing waits",
    series: { ...rows("failed", "0+1x20"), [of("sentinel_audit_queue_length")]: "0x20" },
    at: "8m",
    fires: [],
  },
  {
    alert: "SentinelSharedStoreDown",
    about: "Redis went",
    series: { [of("sentinel_shared_store_up", { store: "redis" })]: "1x5 0x20" },
    at: "9m",
    fires: [{ ...A, store: "redis" }],
  },
  {
    alert: "SentinelSharedStoreDown",
    about: "a replica that starts without it, where another had it",
    series: {
      [of("sentinel_shared_store_up", { store: "redis" })]: "_x10 0x20",
      [of("sentinel_shared_store_up", { ...B, store: "redis" })]: "1x5 _x20",
    },
    at: "14m",
    fires: [{ ...A, store: "redis" }],
  },
  {
    alert: "SentinelSharedStoreDown",
    about: "nothing is shared",
    series: { [of("sentinel_shared_store_up", { store: "redis" })]: "0x30" },
    at: "20m",
    fires: [],
  },
];

const CONTROL_CASES: readonly AlertCase[] = [
  {
    alert: "SentinelReloadFailed",
    about: "refused",
    series: { [of("sentinel_config_last_reload_successful")]: "1x2 0x10" },
    at: "5m",
    fires: [A],
  },
  {
    alert: "SentinelReloadFailed",
    about: "accepted",
    series: { [of("sentinel_config_last_reload_successful")]: "0 1x10" },
    at: "5m",
    fires: [],
  },
  {
    alert: "SentinelConfigDiffers",
    about: "two gateways, two hashes",
    series: {
      [of("sentinel_config_info", { hash: "one" })]: "1x30",
      [of("sentinel_config_info", { ...B, hash: "two" })]: "1x30",
    },
    at: "16m",
    fires: [{ job: A.job }],
  },
  {
    alert: "SentinelConfigDiffers",
    about: "a roll-out of ten minutes",
    series: {
      [of("sentinel_config_info", { hash: "one" })]: "1x10 _x30",
      [of("sentinel_config_info", { hash: "two" })]: "_x11 1x30",
      [of("sentinel_config_info", { ...B, hash: "two" })]: "1x40",
    },
    at: "20m",
    fires: [],
  },
  {
    alert: "SentinelKillSwitchForgotten",
    about: "a day",
    every: "1h",
    series: { [of("sentinel_kill_switches_active", { scope: "tool" })]: "1x30" },
    at: "25h",
    fires: [{ ...A, scope: "tool" }],
  },
  {
    alert: "SentinelKillSwitchForgotten",
    about: "less than a day",
    every: "1h",
    series: { [of("sentinel_kill_switches_active", { scope: "tool" })]: "1x30" },
    at: "23h",
    fires: [],
  },
  {
    alert: "SentinelDefinitionHeld",
    about: "an hour",
    series: { [of("sentinel_definitions_held", N8N)]: "1x80" },
    at: "61m",
    fires: [{ ...A, ...N8N }],
  },
  {
    alert: "SentinelDefinitionHeld",
    about: "approved in time",
    series: { [of("sentinel_definitions_held", N8N)]: "1x50 0x30" },
    at: "61m",
    fires: [],
  },
];

export const ALERT_CASES: readonly AlertCase[] = [
  ...PRESENCE_CASES,
  ...BACKEND_CASES,
  ...CALL_CASES,
  ...RECORD_CASES,
  ...CONTROL_CASES,
];
