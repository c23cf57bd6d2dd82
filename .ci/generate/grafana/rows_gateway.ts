/** The gateway itself: sessions, records, control, process. */
import { age, compare, divided, max, quantile, sum } from "../promql.ts";
import { type Panel, query } from "./panel.ts";
import { series } from "./series.ts";

/** How full the journal is: a full one decides about calls. */
const journal = divided(
  max(["instance"], series.gauge("sentinel_audit_journal_bytes")),
  max(["instance"], series.gauge("sentinel_audit_queue_capacity")),
);

export const SESSIONS: readonly Panel[] = [
  {
    kind: "lines",
    title: "Sessions",
    about: "Open sessions of clients.",
    queries: [query(sum(["instance"], series.gauge("sentinel_sessions_active")), "instance")],
    width: 8,
  },
  {
    kind: "lines",
    title: "Streams",
    about: "Open event streams, by kind.",
    queries: [query(sum(["kind"], series.gauge("sentinel_streams_active")), "kind")],
    width: 8,
  },
  {
    kind: "lines",
    title: "Length of sessions p50",
    about: "Of those that ended.",
    queries: [query(
      quantile(0.5, ["network_transport"], series.buckets("mcp_server_session_duration_seconds")),
      "network_transport",
    )],
    unit: "s",
    width: 8,
  },
  {
    kind: "lines",
    title: "Sessions ended by the gateway",
    about: "By reason.",
    queries: [
      query(sum(["reason"], series.increase("sentinel_session_evictions_total")), "reason"),
    ],
    width: 8,
  },
  {
    kind: "lines",
    title: "Session store p95",
    about: "By operation; failures count with the time they took.",
    queries: [query(
      quantile(
        0.95,
        ["store", "operation"],
        series.buckets("sentinel_session_store_duration_seconds"),
      ),
      "store",
      "operation",
    )],
    unit: "s",
    width: 8,
  },
  {
    kind: "lines",
    title: "Dropped events",
    about: "Events that a reader was too slow for; its stream was ended.",
    queries: [
      query(sum(["kind"], series.increase("sentinel_stream_events_dropped_total")), "kind"),
    ],
    width: 8,
  },
];

export const RECORDS: readonly Panel[] = [
  {
    kind: "lines",
    title: "Rows of the audit",
    about: "Written to the journal, committed to the store; dropped ones and failed deliveries.",
    queries: [query(sum(["result"], series.rate("sentinel_audit_records_total")), "result")],
    unit: "ops",
    width: 8,
  },
  {
    kind: "lines",
    title: "Rows that wait",
    about: "For the store.",
    queries: [query(max(["instance"], series.gauge("sentinel_audit_queue_length")), "instance")],
    width: 8,
  },
  {
    kind: "lines",
    title: "Journal",
    about: "Share of its size that is used; at 100 % calls are refused or their rows dropped.",
    queries: [query(journal, "instance")],
    unit: "percentunit",
    width: 8,
  },
  {
    kind: "lines",
    title: "Audit store p95",
    about: "Time for a batch of rows.",
    queries: [query(
      quantile(0.95, ["store"], series.buckets("sentinel_audit_write_duration_seconds")),
      "store",
    )],
    unit: "s",
    width: 8,
  },
  {
    kind: "lines",
    title: "Management calls",
    about: "By route and answer.",
    queries: [query(
      sum(["route", "code"], series.rate("sentinel_management_requests_total")),
      "route",
      "code",
    )],
    unit: "reqps",
    width: 8,
  },
  {
    kind: "lines",
    title: "Management refusals",
    about: "Requests of operators that were turned away.",
    queries: [query(
      sum(["reason"], series.increase("sentinel_management_refusals_total")),
      "reason",
    )],
    width: 8,
  },
  {
    kind: "lines",
    title: "Reloads",
    about: "By how they ended.",
    queries: [query(sum(["result"], series.increase("sentinel_config_reloads_total")), "result")],
    width: 8,
  },
  {
    kind: "lines",
    title: "Spans",
    about: "Of traces: given to the collector, left out by the sample, or lost.",
    queries: [query(sum(["result"], series.rate("sentinel_trace_spans_total")), "result")],
    unit: "ops",
    width: 8,
  },
  {
    kind: "lines",
    title: "Messages between replicas",
    about: "Sent, received, and those that found nobody.",
    queries: [query(sum(["result"], series.rate("sentinel_replica_messages_total")), "result")],
    unit: "ops",
    width: 8,
  },
  {
    kind: "trends",
    title: "Configuration in force",
    about: "One hash for all gateways, unless a roll-out is under way.",
    queries: [query(
      max(["instance", "hash"], series.gauge("sentinel_config_info")),
      "instance",
      "hash",
    )],
    width: 8,
  },
  {
    kind: "trends",
    title: "Versions",
    about: "What runs, and on which runtime.",
    queries: [query(
      max(["instance", "version", "runtime"], series.gauge("sentinel_build_info")),
      "instance",
      "version",
      "runtime",
    )],
    width: 8,
  },
];

export const PROCESS: readonly Panel[] = [
  {
    kind: "lines",
    title: "Memory",
    about: "Of the process of each gateway.",
    queries: [query(max(["instance"], series.gauge("process_resident_memory_bytes")), "instance")],
    unit: "bytes",
    width: 6,
  },
  {
    kind: "lines",
    title: "Processor",
    about: "1 is one processor.",
    queries: [query(sum(["instance"], series.rate("process_cpu_seconds_total")), "instance")],
    width: 6,
  },
  {
    kind: "lines",
    title: "Event loop lag p99",
    about: "What every call waits while the process is busy.",
    queries: [query(
      quantile(0.99, ["instance"], series.buckets("sentinel_event_loop_lag_seconds")),
      "instance",
    )],
    unit: "s",
    width: 6,
  },
  {
    kind: "lines",
    title: "Descriptors",
    about: "Open files and connections.",
    queries: [query(max(["instance"], series.gauge("process_open_fds")), "instance")],
    width: 6,
  },
  {
    kind: "lines",
    title: "Refused for lack of time or memory",
    about: "New requests, per second.",
    queries: [query(sum(["reason"], series.rate("sentinel_requests_shed_total")), "reason")],
    unit: "reqps",
    width: 8,
  },
  {
    kind: "lines",
    title: "Shared store",
    about: "1 while what replicas share can be used; 0 for ever where nothing is shared.",
    queries: [query(
      max(["instance", "store"], series.gauge("sentinel_shared_store_up")),
      "instance",
      "store",
    )],
    width: 8,
  },
  {
    kind: "lines",
    title: "Time since the start",
    about: "Falls to 0 where a gateway was started anew.",
    queries: [query(
      max(["instance"], compare(age(series.gauge("process_start_time_seconds")), ">", 0)),
      "instance",
    )],
    unit: "s",
    width: 8,
  },
];
