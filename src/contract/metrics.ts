/** Every metric, in one table. Names, labels and the values of finite labels are a promise to dashboards. */
import { BRIDGES } from "./audit.ts";
import { namesOf } from "./describe.ts";
import { BACKEND_KINDS, BACKEND_STATES, CIRCUIT_STATES, RUNTIME_STATES } from "./status.ts";

interface MetricRow {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
  /** Every value of labels that have only these; other labels are open, with a cap. */
  readonly values?: Readonly<Record<string, readonly string[]>>;
  /** Upper bounds, for histograms, in the unit of the name. */
  readonly buckets?: readonly number[];
}

/** Value of a label that stands for all values beyond its cap, or outside of what is known. */
export const OTHER = "_other";

/** Distinct values of an open label within one metric; the others are counted as `_other`. */
export const LABEL_CAPS: { readonly [label: string]: number; readonly default: number } = {
  gen_ai_tool_name: 1000,
  sentinel_backend: 500,
  default: 64,
};

/** How a call ended: the values of `sentinel_outcome`. */
export const CALL_OUTCOMES = {
  ok: "answered",
  tool_error: "answered, and the tool says that it failed (`isError`)",
  denied: "the caller may not, or has to do something first",
  limited: "over a rate limit",
  killed: "a kill switch is set for the tool or its backend",
  invalid: "the caller's mistake: unknown names, wrong parameters",
  upstream_error: "the backend failed, or answered with an error",
  timeout: "the backend did not answer in time",
  cancelled: "the caller cancelled or went away",
  circuit_open: "the backend is known to be down; nothing was sent",
  overload: "a bound of the gateway is reached, or it is stopping",
  internal: "a defect of the gateway",
} as const;
export type CallOutcome = keyof typeof CALL_OUTCOMES;

const SECONDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300] as const;
const OVERHEAD_SECONDS = [
  0.00005,
  0.0001,
  0.00025,
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
] as const;
const LAG_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1] as const;
const BYTES = [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000] as const;
const TRANSPORTS = ["pipe", "tcp"] as const;

export const METRICS = {
  mcp_server_operation_duration_seconds: {
    kind: "histogram",
    help: "Time to answer a client's call. Mistakes of the caller have no error_type.",
    labels: [
      "mcp_method_name",
      "gen_ai_tool_name",
      "error_type",
      "rpc_response_status_code",
      "network_transport",
      "mcp_protocol_version",
      "sentinel_backend",
      "sentinel_outcome",
    ],
    values: { network_transport: TRANSPORTS, sentinel_outcome: namesOf(CALL_OUTCOMES) },
    buckets: SECONDS,
  },
  mcp_client_operation_duration_seconds: {
    kind: "histogram",
    help: "Time until a backend answered a request of the gateway.",
    labels: [
      "mcp_method_name",
      "gen_ai_tool_name",
      "error_type",
      "rpc_response_status_code",
      "network_transport",
      "sentinel_backend",
    ],
    values: { network_transport: TRANSPORTS },
    buckets: SECONDS,
  },
  mcp_server_session_duration_seconds: {
    kind: "histogram",
    help: "How long client sessions lasted.",
    labels: ["network_transport", "mcp_protocol_version"],
    values: { network_transport: TRANSPORTS },
    buckets: SECONDS,
  },
  mcp_client_session_duration_seconds: {
    kind: "histogram",
    help:
      "How long connections to a backend lasted; error_type when it was not the gateway's will.",
    labels: ["sentinel_backend", "network_transport", "error_type"],
    values: { network_transport: TRANSPORTS },
    buckets: SECONDS,
  },
  sentinel_gateway_overhead_seconds: {
    kind: "histogram",
    help: "Time a call spent in the gateway: all of it minus the time the backend took.",
    labels: ["mcp_method_name"],
    buckets: OVERHEAD_SECONDS,
  },
  sentinel_requests_in_flight: {
    kind: "gauge",
    help: "Requests being answered.",
    labels: ["plane"],
    values: { plane: ["data", "management"] },
  },
  sentinel_denials_total: {
    kind: "counter",
    help: "Requests of clients that were turned away, by what turned them away.",
    labels: ["reason", "sentinel_backend", "gen_ai_tool_name"],
    values: {
      reason: [
        "auth",
        "kill_switch",
        "rate_limit",
        "circuit_open",
        "concurrency",
        "origin",
        "session",
        "schema",
        "rule",
        "definition",
        "address",
        "audit",
      ],
    },
  },
  sentinel_auth_failures_total: {
    kind: "counter",
    help: "Requests of clients without a valid token, by what was wrong with it.",
    labels: ["reason"],
    values: {
      reason: [
        "missing",
        "malformed",
        "signature",
        "expired",
        "not_yet_valid",
        "issuer",
        "audience",
        "algorithm",
        "jwks_unavailable",
      ],
    },
  },
  sentinel_rate_limit_rejections_total: {
    kind: "counter",
    help: "Calls over a rate limit, by tool (empty for other methods) and by what set the limit.",
    labels: ["gen_ai_tool_name", "scope"],
    values: { scope: ["caller_tool", "role"] },
  },
  sentinel_rule_matches_total: {
    kind: "counter",
    help: "Times a rule was true, by its name and action.",
    labels: ["rule", "action"],
  },
  sentinel_interceptor_duration_seconds: {
    kind: "histogram",
    help: "Time an interceptor took, by what it looked at.",
    labels: ["interceptor", "phase"],
    values: { phase: ["call", "result", "list", "ask", "reply"] },
    buckets: OVERHEAD_SECONDS,
  },
  sentinel_interceptor_failures_total: {
    kind: "counter",
    help: "Times an interceptor failed or took too long; what it looked at was refused.",
    labels: ["interceptor"],
  },
  sentinel_tool_drift_total: {
    kind: "counter",
    help: "Changed definitions of tools and prompts that were seen, by what they caused.",
    labels: ["sentinel_backend", "reaction"],
    values: { reaction: ["allow", "warn", "hold"] },
  },
  sentinel_definitions_held: {
    kind: "gauge",
    help: "Changed definitions that wait for an approval.",
    labels: ["sentinel_backend"],
  },
  sentinel_audit_records_total: {
    kind: "counter",
    help:
      "Rows of the audit: written to the journal, committed to the store, dropped; failed deliveries.",
    labels: ["result"],
    values: { result: ["written", "committed", "dropped", "failed"] },
  },
  sentinel_audit_queue_length: {
    kind: "gauge",
    help: "Rows of the audit that wait for the store.",
    labels: [],
  },
  sentinel_audit_journal_bytes: {
    kind: "gauge",
    help: "Size of the audit's journal.",
    labels: [],
  },
  sentinel_audit_queue_capacity: {
    kind: "gauge",
    help: "Size of the audit's journal at which `audit.when_full` decides, in bytes.",
    labels: [],
  },
  sentinel_audit_write_duration_seconds: {
    kind: "histogram",
    help: "Time the store of the audit took for a batch of rows.",
    labels: ["store"],
    values: { store: ["sqlite", "postgres", "neon", "stdout"] },
    buckets: SECONDS,
  },
  sentinel_shared_store_up: {
    kind: "gauge",
    help: "1 while a store that replicas share can be used.",
    labels: ["store"],
    values: { store: ["redis"] },
  },
  sentinel_kill_switches_active: {
    kind: "gauge",
    help: "Kill switches that are set.",
    labels: ["scope"],
    values: { scope: ["tool", "backend"] },
  },
  sentinel_backend_up: {
    kind: "gauge",
    help: "1 while the backend is ready or degraded.",
    labels: ["sentinel_backend", "kind"],
    values: { kind: BACKEND_KINDS },
  },
  sentinel_backend_state: {
    kind: "gauge",
    help: "1 for the state the backend is in, 0 for the others.",
    labels: ["sentinel_backend", "state"],
    values: { state: namesOf(BACKEND_STATES) },
  },
  sentinel_backend_restarts_total: {
    kind: "counter",
    help: "Connection attempts after the first, by what made them necessary.",
    labels: ["sentinel_backend", "reason"],
    values: { reason: ["exit", "signal", "unresponsive", "memory", "lost", "manual", "config"] },
  },
  sentinel_backend_circuit_state: {
    kind: "gauge",
    help: "1 for the state the backend's circuit is in, 0 for the others.",
    labels: ["sentinel_backend", "state"],
    values: { state: CIRCUIT_STATES },
  },
  sentinel_backend_circuit_transitions_total: {
    kind: "counter",
    help: "Times a circuit of the backend, or of one of its tools, came into a state.",
    labels: ["sentinel_backend", "scope", "state"],
    values: { scope: ["backend", "tool"], state: CIRCUIT_STATES },
  },
  sentinel_backend_health_check_duration_seconds: {
    kind: "histogram",
    help: "Time until the backend answered a ping, or failed to.",
    labels: ["sentinel_backend", "result"],
    values: { result: ["ok", "failed"] },
    buckets: SECONDS,
  },
  sentinel_backend_retries_total: {
    kind: "counter",
    help: "Requests that were sent again, or not because the budget was used up.",
    labels: ["sentinel_backend", "reason"],
    values: { reason: ["not_delivered", "lost", "timeout", "over_budget"] },
  },
  sentinel_backend_queue_length: {
    kind: "gauge",
    help: "Calls that wait because the backend works on as many as it may.",
    labels: ["sentinel_backend"],
  },
  sentinel_backend_in_flight: {
    kind: "gauge",
    help: "Calls the backend works on.",
    labels: ["sentinel_backend"],
  },
  sentinel_backend_process_open_fds: {
    kind: "gauge",
    help: "Open file descriptors of the backend's processes (Linux only).",
    labels: ["sentinel_backend"],
  },
  sentinel_backend_processes: {
    kind: "gauge",
    help: "Processes of the backend, those they started included (Linux only).",
    labels: ["sentinel_backend"],
  },
  sentinel_requests_shed_total: {
    kind: "counter",
    help: "Requests refused because the gateway is short of time or memory.",
    labels: ["reason"],
    values: { reason: ["lag", "memory"] },
  },
  sentinel_session_restores_total: {
    kind: "counter",
    help: "Sessions that went on after a restart or at another replica, and those that could not.",
    labels: ["result"],
    values: { result: ["restored", "unknown", "failed"] },
  },
  sentinel_session_store_duration_seconds: {
    kind: "histogram",
    help: "Time the store of the sessions took.",
    labels: ["store", "operation", "result"],
    values: {
      store: ["memory", "sqlite", "redis"],
      operation: ["get", "put", "touch", "remove", "kept"],
      result: ["ok", "failed"],
    },
    buckets: SECONDS,
  },
  sentinel_replica_messages_total: {
    kind: "counter",
    help: "Messages between replicas: sent, received, and those that found nobody.",
    labels: ["result"],
    values: { result: ["sent", "received", "failed"] },
  },
  sentinel_backend_invalid_output_lines_total: {
    kind: "counter",
    help: "Lines or events of a backend that are no messages.",
    labels: ["sentinel_backend"],
  },
  sentinel_backend_stderr_lines_total: {
    kind: "counter",
    help: "Lines a stdio backend wrote to stderr.",
    labels: ["sentinel_backend"],
  },
  sentinel_backend_links: {
    kind: "gauge",
    help: "Open connections to the backend.",
    labels: ["sentinel_backend"],
  },
  sentinel_backend_process_resident_memory_bytes: {
    kind: "gauge",
    help: "Memory of the backend's processes, those they started included (Linux only).",
    labels: ["sentinel_backend"],
  },
  sentinel_backend_process_cpu_seconds_total: {
    kind: "counter",
    help: "Processor time of the backend's processes, those they started included (Linux only).",
    labels: ["sentinel_backend"],
  },
  sentinel_catalog_tools: {
    kind: "gauge",
    help: "Tools of a backend that the catalog shows, and that it does not.",
    labels: ["sentinel_backend", "visibility"],
    values: { visibility: ["exposed", "hidden"] },
  },
  sentinel_catalog_changes_total: {
    kind: "counter",
    help: "Tools of a known backend that appeared, went, or changed their definition.",
    labels: ["sentinel_backend", "change"],
    values: { change: ["added", "removed", "definition"] },
  },
  sentinel_tool_result_bytes: {
    kind: "histogram",
    help: "Length of tool results as JSON text; a character beyond ASCII counts as one.",
    labels: ["sentinel_backend"],
    buckets: BYTES,
  },
  sentinel_sessions_active: {
    kind: "gauge",
    help: "Open client sessions.",
    labels: ["network_transport"],
    values: { network_transport: TRANSPORTS },
  },
  sentinel_session_evictions_total: {
    kind: "counter",
    help:
      "Sessions the gateway ended: idle, too old, without a living client, by an operator, with their " +
      "token, or because a configuration took their toolset, issuer or roles.",
    labels: ["reason"],
    values: { reason: ["idle", "lifetime", "operator", "config"] },
  },
  sentinel_streams_active: {
    kind: "gauge",
    help: "Open event streams.",
    labels: ["kind"],
    values: { kind: ["client_sse", "client_listen", "backend_sse", "management_events"] },
  },
  sentinel_parked_calls: {
    kind: "gauge",
    help: "Calls of modern clients to legacy backends that wait for the client's answer.",
    labels: [],
  },
  sentinel_bridge_rounds_total: {
    kind: "counter",
    help: "Times a client was asked in the middle of a call that crosses eras.",
    labels: ["bridge", "result"],
    values: { bridge: BRIDGES, result: ["answered", "failed", "expired"] },
  },
  sentinel_stream_events_dropped_total: {
    kind: "counter",
    help: "Events a reader was too slow for; its stream was ended.",
    labels: ["kind"],
    values: { kind: ["client_sse", "client_listen", "management_events"] },
  },
  sentinel_config_reloads_total: {
    kind: "counter",
    help: "Reloads of the configuration.",
    labels: ["result"],
    values: { result: ["applied", "unchanged", "rejected", "rolled_back"] },
  },
  sentinel_config_last_reload_successful: {
    kind: "gauge",
    help: "0 when the last reload was refused or taken back, else 1.",
    labels: [],
  },
  sentinel_config_last_reload_success_timestamp_seconds: {
    kind: "gauge",
    help: "When a configuration was last read and accepted, seconds since 1970.",
    labels: [],
  },
  sentinel_config_info: {
    kind: "gauge",
    help: "1 for the configuration in force: the beginning of its hash.",
    labels: ["hash"],
  },
  sentinel_management_requests_total: {
    kind: "counter",
    help: "Requests to the management API, by route of the table, method and HTTP status.",
    labels: ["route", "method", "code"],
  },
  sentinel_management_refusals_total: {
    kind: "counter",
    help: "Requests to the management API that were turned away.",
    labels: ["reason"],
    values: { reason: ["host", "origin", "token", "scope", "limited"] },
  },
  sentinel_trace_spans_total: {
    kind: "counter",
    help:
      "Spans of calls, by what became of them: given to the collector, left out by the sample, or lost.",
    labels: ["result"],
    values: { result: ["exported", "sampled_out", "dropped"] },
  },
  sentinel_build_info: {
    kind: "gauge",
    help: "1 for the version that runs, and what it runs on.",
    labels: ["version", "runtime", "runtime_version"],
  },
  sentinel_startup_state: {
    kind: "gauge",
    help: "1 for the state the gateway is in, 0 for the others.",
    labels: ["state"],
    values: { state: namesOf(RUNTIME_STATES) },
  },
  sentinel_event_loop_lag_seconds: {
    kind: "histogram",
    help: "How late a timer fires: what every call waits while the process is busy.",
    labels: [],
    buckets: LAG_SECONDS,
  },
  process_start_time_seconds: {
    kind: "gauge",
    help: "Start of the process, seconds since 1970.",
    labels: [],
  },
  process_resident_memory_bytes: { kind: "gauge", help: "Memory the process holds.", labels: [] },
  process_cpu_seconds_total: {
    kind: "counter",
    help: "User and system time the process has used.",
    labels: [],
  },
  process_open_fds: {
    kind: "gauge",
    help: "Open file descriptors (where the system tells).",
    labels: [],
  },
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof METRICS;

type Row<M extends MetricName> = (typeof METRICS)[M];
type FiniteValue<M extends MetricName, Label> = Row<M> extends { readonly values: infer Values }
  ? Label extends keyof Values ? Values[Label] extends readonly (infer Value)[] ? Value : string
  : string
  : string;

/** Name of a label of a metric. */
export type LabelOf<M extends MetricName> = Row<M>["labels"][number];

/** What a series is told apart by; `""` where a label does not apply. */
export type Labels<M extends MetricName> = {
  readonly [Label in LabelOf<M>]: FiniteValue<M, Label>;
};

export type DenialReason = (typeof METRICS)["sentinel_denials_total"]["values"]["reason"][number];

/** What was wrong with a token. Told to operators only. */
export type AuthFailure =
  (typeof METRICS)["sentinel_auth_failures_total"]["values"]["reason"][number];
