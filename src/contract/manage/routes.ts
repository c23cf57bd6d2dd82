/**
 * Every route of the management listener, in one table: it types the router, the client and the CLI's
 * `--json`, and the authorization matrix, the OpenAPI document and the reference page are made from it.
 */
import * as v from "valibot";
import { SEVERITIES } from "../events.ts";
import {
  ApproveAnswer,
  AuditListAnswer,
  AuditRunAnswer,
  AuditRunListAnswer,
  BackendAnswer,
  BackendListAnswer,
  BackendLogsAnswer,
  CallSchema,
  CapabilityAnswer,
  CapabilityListAnswer,
  ConfigAnswer,
  DiffAnswer,
  EventListAnswer,
  HealthAnswer,
  KillAnswer,
  KillSwitchListAnswer,
  LimitListAnswer,
  OperationAnswer,
  RefusedListAnswer,
  ReloadAnswer,
  SessionAnswer,
  SessionListAnswer,
  StatusAnswer,
} from "./answers.ts";
import { GatewayEventSchema } from "../events.ts";
import { LivenessSchema, ReadinessSchema } from "../readiness.ts";

/** Who may use a route: everybody, or holders of a token with at least that scope. */
export type Scope = "public" | "read" | "admin";

export interface RouteRow {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Parameters as `:name`; each is one percent-encoded segment. */
  readonly path: string;
  readonly scope: Scope;
  readonly summary: string;
  /** Query parameters, all texts on the wire. */
  readonly query?: v.GenericSchema<Record<string, string | undefined>, unknown>;
  /** JSON body. */
  readonly body?: v.GenericSchema;
  /** One JSON object, a text, or a stream of server-sent events whose data is this. */
  readonly answers: "json" | "text" | "events";
  readonly answer: v.GenericSchema;
  /** Name of the answer in `--json`: `mcp-sentinel/v1/<schema>`. */
  readonly schema: string;
  /** An operation: recorded, serialized, takes an `Idempotency-Key`. */
  readonly operation?: true;
  /** Status 503 when the answer's `status` is `unready`. */
  readonly mayBeUnready?: true;
}

/** Most entries of one page. */
export const MAX_PAGE = 1000;
const DEFAULT_PAGE = 100;

const limit = v.pipe(
  v.optional(
    v.pipe(v.string(), v.regex(/^[1-9]\d{0,3}$/, "write a number from 1 to 1000")),
    String(DEFAULT_PAGE),
  ),
  v.transform(Number),
  v.maxValue(MAX_PAGE, "at most 1000"),
  v.description("Entries of a page, at most 1000."),
);
const after = v.exactOptional(
  v.pipe(v.string(), v.maxLength(2000), v.description("`next` of the page before.")),
);
const filter = v.exactOptional(
  v.pipe(
    v.string(),
    v.maxLength(1000),
    v.description("Filter, such as `state:ready,degraded -name:test*`."),
  ),
);
const cursor = v.exactOptional(
  v.pipe(
    v.string(),
    v.regex(/^(0|[1-9]\d{0,15})$/, "a cursor is a decimal number"),
    v.description("Cursor of the last event seen; `0` begins with the oldest kept."),
  ),
);

const page = v.strictObject({ after, limit, filter });
const events = v.strictObject({ after: cursor, limit, filter });
const eventStream = v.strictObject({ after: cursor, filter });
const callStream = v.strictObject({ filter });
const auditPage = v.strictObject({
  ...page.entries,
  order: v.exactOptional(
    v.pipe(
      v.picklist(["newest", "oldest"]),
      v.description("What comes first; `newest` if not given."),
    ),
  ),
});

const auditRun = v.strictObject({
  after: v.exactOptional(
    v.pipe(
      v.string(),
      v.regex(/^(0|[1-9]\d{0,15})$/, "write the number of a row"),
      v.description("Number of the last row seen."),
    ),
  ),
  limit,
  filter,
});

const reason = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1, "give a reason"),
  v.maxLength(500, "at most 500 characters"),
  v.description("Why; told to callers and kept in the record."),
);

const approval = v.strictObject({
  hash: v.pipe(
    v.string(),
    v.regex(/^[0-9a-f]{64}$/, "write the 64 hex digits of `held.hash`"),
    v.description("`held.hash` of the definition that was looked at."),
  ),
});

const nothing = v.strictObject({});

export const ROUTES = {
  health: {
    method: "GET",
    path: "/manage/v1/health",
    scope: "public",
    summary: "Liveness and state. Needs a token when `management.public_health` is false.",
    answers: "json",
    answer: HealthAnswer,
    schema: "health",
  },
  live: {
    method: "GET",
    path: "/health",
    scope: "public",
    summary: "Liveness, for probes. Needs a token when `management.public_health` is false.",
    answers: "json",
    answer: LivenessSchema,
    schema: "live",
  },
  ready: {
    method: "GET",
    path: "/ready",
    scope: "public",
    summary:
      "Whether calls can be served; 503 when not. Needs a token when `management.public_health` is false.",
    answers: "json",
    answer: ReadinessSchema,
    schema: "ready",
    mayBeUnready: true,
  },
  openapi: {
    method: "GET",
    path: "/manage/v1/openapi.json",
    scope: "public",
    summary: "This table as OpenAPI 3.1.",
    answers: "json",
    answer: v.record(v.string(), v.unknown()),
    schema: "openapi",
  },
  metrics: {
    method: "GET",
    path: "/metrics",
    scope: "read",
    summary: "Metrics as OpenMetrics or Prometheus text, as `Accept` asks.",
    answers: "text",
    answer: v.string(),
    schema: "metrics",
  },
  status: {
    method: "GET",
    path: "/manage/v1/status",
    scope: "read",
    summary: "State, totals, configuration and stores of the gateway.",
    answers: "json",
    answer: StatusAnswer,
    schema: "status",
  },
  backends: {
    method: "GET",
    path: "/manage/v1/backends",
    scope: "read",
    summary: "All backends, sorted by name.",
    query: page,
    answers: "json",
    answer: BackendListAnswer,
    schema: "backend-list",
  },
  backend: {
    method: "GET",
    path: "/manage/v1/backends/:name",
    scope: "read",
    summary: "One backend.",
    answers: "json",
    answer: BackendAnswer,
    schema: "backend",
  },
  backendLogs: {
    method: "GET",
    path: "/manage/v1/backends/:name/logs",
    scope: "read",
    summary: "The last stderr lines of a backend.",
    answers: "json",
    answer: BackendLogsAnswer,
    schema: "backend-logs",
  },
  reconnect: {
    method: "POST",
    path: "/manage/v1/backends/:name/reconnect",
    scope: "admin",
    summary: "Makes the connection to a backend anew and waits until it answers or fails.",
    body: nothing,
    answers: "json",
    answer: OperationAnswer,
    schema: "operation",
    operation: true,
  },
  capabilities: {
    method: "GET",
    path: "/manage/v1/capabilities",
    scope: "read",
    summary: "Tools, prompts, resources and templates of the catalog, sorted by kind and name.",
    query: page,
    answers: "json",
    answer: CapabilityListAnswer,
    schema: "capability-list",
  },
  refused: {
    method: "GET",
    path: "/manage/v1/capabilities/refused",
    scope: "read",
    summary: "Items that were left out of the catalog, with the reason.",
    query: page,
    answers: "json",
    answer: RefusedListAnswer,
    schema: "refused-list",
  },
  capability: {
    method: "GET",
    path: "/manage/v1/capabilities/:kind/:name",
    scope: "read",
    summary: "One tool, prompt, resource or template with its definition.",
    answers: "json",
    answer: CapabilityAnswer,
    schema: "capability",
  },
  approve: {
    method: "POST",
    path: "/manage/v1/tools/:name/approve",
    scope: "admin",
    summary: "Lets a tool whose changed definition is held be listed and called.",
    body: approval,
    answers: "json",
    answer: ApproveAnswer,
    schema: "approve",
    operation: true,
  },
  approvePrompt: {
    method: "POST",
    path: "/manage/v1/prompts/:name/approve",
    scope: "admin",
    summary: "The same for a prompt.",
    body: approval,
    answers: "json",
    answer: ApproveAnswer,
    schema: "approve",
    operation: true,
  },
  events: {
    method: "GET",
    path: "/manage/v1/events",
    scope: "read",
    summary: "The event log after a cursor, oldest first.",
    query: events,
    answers: "json",
    answer: EventListAnswer,
    schema: "event-list",
  },
  eventStream: {
    method: "GET",
    path: "/manage/v1/events/stream",
    scope: "read",
    summary: "Events as they happen, from a cursor (`after` or `Last-Event-ID`) or from now on.",
    query: eventStream,
    answers: "events",
    answer: GatewayEventSchema,
    schema: "event",
  },
  callStream: {
    method: "GET",
    path: "/manage/v1/calls/stream",
    scope: "read",
    summary: "Calls as they end, from now on. No arguments, no results.",
    query: callStream,
    answers: "events",
    answer: CallSchema,
    schema: "call",
  },
  sessions: {
    method: "GET",
    path: "/manage/v1/sessions",
    scope: "read",
    summary: "Open client sessions, oldest first.",
    query: page,
    answers: "json",
    answer: SessionListAnswer,
    schema: "session-list",
  },
  session: {
    method: "GET",
    path: "/manage/v1/sessions/:id",
    scope: "read",
    summary: "One session with its links.",
    answers: "json",
    answer: SessionAnswer,
    schema: "session",
  },
  closeSession: {
    method: "DELETE",
    path: "/manage/v1/sessions/:id",
    scope: "admin",
    summary: "Ends a session; its client has to initialize again.",
    answers: "json",
    answer: OperationAnswer,
    schema: "operation",
    operation: true,
  },
  audit: {
    method: "GET",
    path: "/manage/v1/audit",
    scope: "read",
    summary:
      "Rows of the audit that its store has, newest first, or oldest first with `order=oldest`.",
    query: auditPage,
    answers: "json",
    answer: AuditListAnswer,
    schema: "audit-list",
  },
  auditRuns: {
    method: "GET",
    path: "/manage/v1/audit/runs",
    scope: "read",
    summary: "Runs of gateways that the store of the audit has rows of, oldest first.",
    query: v.strictObject({ after, limit }),
    answers: "json",
    answer: AuditRunListAnswer,
    schema: "audit-run-list",
  },
  auditRun: {
    method: "GET",
    path: "/manage/v1/audit/runs/:instance",
    scope: "read",
    summary: "Rows of one run by number, to follow or verify it; `current` is that of the gateway.",
    query: auditRun,
    answers: "json",
    answer: AuditRunAnswer,
    schema: "audit-run",
  },
  limits: {
    method: "GET",
    path: "/manage/v1/limits",
    scope: "read",
    summary: "Rate limits in use: a bucket for each caller and tool, oldest first.",
    query: page,
    answers: "json",
    answer: LimitListAnswer,
    schema: "limit-list",
  },
  killSwitches: {
    method: "GET",
    path: "/manage/v1/kill-switches",
    scope: "read",
    summary: "Kill switches that are set, by operators or by the configuration.",
    query: page,
    answers: "json",
    answer: KillSwitchListAnswer,
    schema: "kill-switch-list",
  },
  kill: {
    method: "PUT",
    path: "/manage/v1/kill-switches/:scope/:name",
    scope: "admin",
    summary: "Refuses every call to a tool (or pattern) or backend that starts from now on.",
    body: v.strictObject({ reason }),
    answers: "json",
    answer: KillAnswer,
    schema: "kill",
    operation: true,
  },
  clearKill: {
    method: "DELETE",
    path: "/manage/v1/kill-switches/:scope/:name",
    scope: "admin",
    summary: "Clears a kill switch that an operator set.",
    answers: "json",
    answer: KillAnswer,
    schema: "kill",
    operation: true,
  },
  config: {
    method: "GET",
    path: "/manage/v1/config",
    scope: "read",
    summary: "The configuration in force, resolved and masked.",
    answers: "json",
    answer: ConfigAnswer,
    schema: "config",
  },
  diff: {
    method: "POST",
    path: "/manage/v1/config/diff",
    scope: "read",
    summary: "What a reload would change and interrupt. Changes nothing.",
    body: nothing,
    answers: "json",
    answer: DiffAnswer,
    schema: "diff",
  },
  reload: {
    method: "POST",
    path: "/manage/v1/reload",
    scope: "admin",
    summary: "Reads the configuration anew: parse, validate, compare, apply, report.",
    body: nothing,
    answers: "json",
    answer: ReloadAnswer,
    schema: "reload",
    operation: true,
  },
  logLevel: {
    method: "PUT",
    path: "/manage/v1/log-level",
    scope: "admin",
    summary: "Changes what is logged, for a while.",
    body: v.strictObject({
      level: v.pipe(v.picklist(SEVERITIES), v.description("Least severe events to write.")),
      minutes: v.optional(
        v.pipe(
          v.number(),
          v.integer(),
          v.minValue(1),
          v.maxValue(1440),
          v.description("How long, at most a day; then the configured level holds again."),
        ),
        60,
      ),
    }),
    answers: "json",
    answer: OperationAnswer,
    schema: "operation",
    operation: true,
  },
  shutdown: {
    method: "POST",
    path: "/manage/v1/shutdown",
    scope: "admin",
    summary: "Drains and stops the gateway. Off unless `management.allow_shutdown` is true.",
    body: nothing,
    answers: "json",
    answer: OperationAnswer,
    schema: "operation",
    operation: true,
  },
} as const satisfies Record<string, RouteRow>;

export type RouteName = keyof typeof ROUTES;
type Row<Name extends RouteName> = (typeof ROUTES)[Name];

type ParamNames<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParamNames<`/${Rest}`>
  : Path extends `${string}:${infer Name}` ? Name
  : never;

/** Parameters of the path, decoded. */
export type RouteParams<Name extends RouteName> = {
  readonly [Param in ParamNames<Row<Name>["path"]>]: string;
};
/** Query as a client writes it. */
export type RouteQuery<Name extends RouteName> = Row<Name> extends
  { query: infer Query extends v.GenericSchema } ? v.InferInput<Query>
  : Record<never, never>;
/** Query as a handler reads it. */
export type ParsedQuery<Name extends RouteName> = Row<Name> extends
  { query: infer Query extends v.GenericSchema } ? v.InferOutput<Query>
  : Record<never, never>;
/** Body as a client writes it; undefined for routes without. */
export type RouteBody<Name extends RouteName> = Row<Name> extends
  { body: infer Body extends v.GenericSchema } ? v.InferInput<Body>
  : undefined;
/** Body as a handler reads it. */
export type ParsedBody<Name extends RouteName> = Row<Name> extends
  { body: infer Body extends v.GenericSchema } ? v.InferOutput<Body>
  : undefined;
/** What the route answers; for streams, one event's data. */
export type RouteAnswer<Name extends RouteName> = v.InferOutput<Row<Name>["answer"]>;

/** Routes that answer one JSON object. */
export type JsonRoute = {
  [Name in RouteName]: Row<Name>["answers"] extends "json" ? Name : never;
}[RouteName];
/** Routes that answer a stream of events. */
export type StreamRoute = {
  [Name in RouteName]: Row<Name>["answers"] extends "events" ? Name : never;
}[RouteName];
