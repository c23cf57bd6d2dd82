/** What can be filtered by, for every list and stream of the management API. */
import { AUDIT_KINDS, type AuditRecord, GAP_OUTCOME, UNKNOWN_OUTCOME } from "../audit.ts";
import { FINDINGS } from "../definitions.ts";
import { type GatewayEvent, SEVERITIES } from "../events.ts";
import { duration, exact, moments, number, size, text, word, yesNo } from "../filter/fields.ts";
import type { FilterFields } from "../filter.ts";
import { CALL_OUTCOMES } from "../metrics.ts";
import { OPERATION_OUTCOMES } from "../operations.ts";
import {
  BACKEND_KINDS,
  BACKEND_STATES,
  type BackendState,
  type BackendStatus,
  type RefusedItem,
} from "../status.ts";
import type { CallRecord, Capability, KillSwitch, LimitStatus, SessionStatus } from "./answers.ts";
import type { RouteAnswer, RouteName, RouteQuery } from "./routes.ts";

/** What `status:error` means for a backend. */
const BROKEN: ReadonlySet<BackendState> = new Set(["backoff", "fatal", "needs_login", "degraded"]);

const backends: FilterFields<BackendStatus> = {
  texts: ({ name, alias, kind, state, protocol, lastError, killed }) => [
    name,
    alias,
    kind,
    state,
    protocol,
    lastError,
    killed,
  ],
  fields: {
    name: text(({ name }) => name, "Name in the configuration."),
    alias: text(({ alias }) => alias, "Prefix of its exposed names."),
    kind: word(BACKEND_KINDS, ({ kind }) => kind, "How it is reached."),
    state: word(Object.keys(BACKEND_STATES), ({ state }) => state, "State of the backend."),
    status: word(
      [...Object.keys(BACKEND_STATES), "error"],
      ({ state }) => BROKEN.has(state) ? [state, "error"] : state,
      "Like `state`; `error` is backoff, fatal, needs_login and degraded.",
    ),
    killed: yesNo(({ killed }) => killed !== undefined, "Whether a kill switch is set for it."),
    protocol: text(({ protocol }) => protocol, "Protocol revision."),
    error: text(({ lastError }) => lastError, "Last failure."),
    tools: number(({ tools }) => tools, "Tools it offers."),
    restarts: number(({ restarts }) => restarts, "Connection attempts after the first."),
    in_flight: number(({ inFlight }) => inFlight, "Calls it is answering."),
    calls: number(({ traffic }) => traffic.callsPerMinute, "Calls of the last minute."),
    errors: number(({ traffic }) => traffic.errorRatio, "Share of them that failed, 0 to 1."),
    p95: duration(({ traffic }) => traffic.p95Ms, "Time 95 % of them took at most."),
    ...moments<BackendStatus>(({ since }) => since, "In its state"),
  },
};

const capabilities: FilterFields<Capability> = {
  texts: ({ kind, name, backend, original, description }) => [
    kind,
    name,
    backend,
    original,
    description,
  ],
  fields: {
    kind: word(["tool", "prompt", "resource", "template"], ({ kind }) => kind, "What it is."),
    name: text(({ name }) => name, "Exposed name, or URI."),
    tool: text(({ kind, name }) => kind === "tool" ? name : undefined, "Exposed name of a tool."),
    backend: text(({ backend }) => backend, "Who offers it."),
    original: text(({ original }) => original, "The backend's own name for it."),
    toolset: text(({ toolsets }) => toolsets, "Toolset that shows it."),
    role: text(({ roles }) => roles, "Role that shows it."),
    hash: text(({ hash }) => hash, "Hash of its definition."),
    killed: yesNo(({ killed }) => killed !== undefined, "Whether it falls under a kill switch."),
    held: yesNo(({ held }) => held !== undefined, "Whether it waits for an approval."),
    finding: word(
      Object.keys(FINDINGS),
      ({ findings }) => findings.map(({ kind }) => kind),
      "What is suspicious in its definition.",
    ),
  },
};

const refused: FilterFields<RefusedItem> = {
  texts: ({ backend, kind, name, reason }) => [backend, kind, name, reason],
  fields: {
    backend: text(({ backend }) => backend, "Backend it belongs to."),
    kind: word(["tool", "prompt", "resource", "template"], ({ kind }) => kind, "What it is."),
    name: text(({ name }) => name, "Its name."),
    reason: text(({ reason }) => reason, "Why it was left out."),
  },
};

const sessions: FilterFields<SessionStatus> = {
  texts: ({ id, principal, client, transport, protocol, toolset }) => [
    id,
    principal,
    client,
    transport,
    protocol,
    toolset,
  ],
  fields: {
    id: text(({ id }) => id, "Id of the session."),
    user: text(({ principal }) => principal, "Issuer and subject it belongs to."),
    client: text(({ client }) => client, "Name and version the client gave."),
    transport: text(({ transport }) => transport, "Front it came by."),
    protocol: text(({ protocol }) => protocol, "Protocol revision."),
    toolset: text(({ toolset }) => toolset, "Named view it uses."),
    idle: duration(({ idleSeconds }) => idleSeconds * 1000, "Since its last sign of life."),
    calls: number(({ calls }) => calls, "Calls so far."),
    in_flight: number(({ inFlight }) => inFlight, "Calls being answered."),
    streams: number(({ streams }) => streams, "Open event streams."),
    ...moments<SessionStatus>(({ openedAt }) => openedAt, "Opened"),
  },
};

const limits: FilterFields<LimitStatus> = {
  texts: ({ caller, name, limit }) => [caller, name, limit],
  fields: {
    caller: text(({ caller }) => caller, "Who calls."),
    name: text(({ name }) => name, "Tool, or method and backend."),
    tool: text(({ name }) => name, "Like `name`."),
    used: number(({ used }) => used, "Calls not given back yet."),
    rejected: number(({ rejected }) => rejected, "Calls refused."),
    next: duration(({ nextMs }) => nextMs, "Until a call is allowed."),
  },
};

const killSwitches: FilterFields<KillSwitch> = {
  texts: ({ scope, name, reason, by, from }) => [scope, name, reason, by, from],
  fields: {
    scope: word(["tools", "backends"], ({ scope }) => scope, "What it ends calls to."),
    name: text(({ name }) => name, "Name or pattern."),
    reason: text(({ reason }) => reason, "Why."),
    by: text(({ by }) => by, "Who set it."),
    from: word(["operator", "config"], ({ from }) => from, "Where it was set."),
    matches: number(({ matches }) => matches, "Tools or backends it covers now."),
    ...moments<KillSwitch>(({ since }) => since, "Set"),
  },
};

const events: FilterFields<GatewayEvent> = {
  texts: ({ event, severity, fields }) => [event, severity, JSON.stringify(fields)],
  fields: {
    event: text(({ event }) => event, "Name of the event."),
    severity: word(SEVERITIES, ({ severity }) => severity, "How much it matters."),
    status: word(SEVERITIES, ({ severity }) => severity, "Like `severity`."),
    backend: text(member("backend"), "Backend it is about."),
    tool: text(member("tool", "name"), "Tool or name it is about."),
    session: text(member("session"), "Session it is about."),
    by: text(member("by"), "Who caused it."),
    reason: text(member("reason"), "Why it happened."),
    ...moments<GatewayEvent>(({ at }) => at, "Happened"),
  },
};

const calls: FilterFields<CallRecord> = {
  texts: (
    { request, method, name, backend, outcome, error, principal, session, transport },
  ) => [request, method, name, backend, outcome, error, principal, session, transport],
  fields: {
    request: text(({ request }) => request, "Id of the call."),
    method: text(({ method }) => method, "MCP method."),
    name: text(({ name }) => name, "Tool, prompt or URI."),
    tool: text(({ method, name }) => method === "tools/call" ? name : undefined, "Tool."),
    backend: text(({ backend }) => backend, "Who answered."),
    outcome: word(Object.keys(CALL_OUTCOMES), ({ outcome }) => outcome, "How it ended."),
    status: word(
      [...Object.keys(CALL_OUTCOMES), "error"],
      ({ outcome }) => outcome === "ok" ? outcome : [outcome, "error"],
      "Like `outcome`; `error` is everything but `ok`.",
    ),
    error: text(({ error }) => error, "Stable code of a refusal."),
    duration: duration(({ durationMs }) => durationMs, "From its arrival to its answer."),
    latency: duration(({ durationMs }) => durationMs, "Like `duration`."),
    user: text(({ principal }) => principal, "Issuer and subject of the caller."),
    session: text(({ session }) => session, "Id of the session."),
    transport: text(({ transport }) => transport, "Front it came by."),
    protocol: text(({ protocol }) => protocol, "Protocol revision of the client."),
    ...moments<CallRecord>(({ at }) => at, "Ended"),
  },
};

/** Of calls, of operations, and of the other kinds of rows. */
const AUDIT_OUTCOMES = [
  ...Object.keys(CALL_OUTCOMES),
  UNKNOWN_OUTCOME,
  ...Object.keys(OPERATION_OUTCOMES),
  GAP_OUTCOME,
];
/** Outcomes that `status:error` does not mean. */
const FINE: ReadonlySet<string> = new Set(["ok", "applied", "unchanged"]);

/** Names and ids match in their very spelling: `Anna` is not `anna`, and the store can look them up. */
const audit: FilterFields<AuditRecord> = {
  texts: (
    { kind, request, principal, client, address, method, name, backend, outcome, error, reason },
  ) => [kind, request, principal, client, address, method, name, backend, outcome, error, reason],
  fields: {
    kind: word(Object.keys(AUDIT_KINDS), ({ kind }) => kind, "What the row is about."),
    request: exact(({ request }) => request, "Id of the call, operation or request."),
    user: exact(({ principal }) => principal, "Issuer and subject, or token of an operator."),
    principal: exact(({ principal }) => principal, "Like `user`."),
    role: text(({ roles }) => roles, "Role of the caller."),
    name: exact(({ name }) => name, "Tool, prompt or URI; target of an operation."),
    tool: exact(({ method, name }) => method === "tools/call" ? name : undefined, "Tool."),
    backend: exact(({ backend }) => backend, "Who was to answer."),
    outcome: word(AUDIT_OUTCOMES, ({ outcome }) => outcome, "How it ended."),
    status: word(
      [...AUDIT_OUTCOMES, "error"],
      ({ outcome }) => FINE.has(outcome) ? outcome : [outcome, "error"],
      "Like `outcome`; `error` is everything but `ok`, `applied` and `unchanged`.",
    ),
    method: text(({ method }) => method, "MCP method, or the operation."),
    error: text(({ error }) => error, "Stable code of a refusal or failure."),
    reason: text(({ reason }) => reason, "More about why."),
    decision: text(({ decisions }) => decisions, "What a rule, limit or check decided."),
    session: exact(({ session }) => session, "Id of the session."),
    client: text(({ client }) => client, "Name and version the client gave itself."),
    transport: text(({ transport }) => transport, "Front it came by."),
    protocol: text(({ protocol }) => protocol, "Protocol revision of the client."),
    era: word(["legacy", "modern"], ({ era }) => era, "Era of that revision."),
    trace: text(({ trace }) => trace, "W3C trace id the caller sent."),
    address: text(({ address }) => address, "Address of the caller."),
    definition: text(({ definition }) => definition, "Hash of the definition that was called."),
    run: text(({ instance }) => instance, "Run of a gateway the row belongs to."),
    duration: duration(({ durationMs }) => durationMs, "From its arrival to its answer."),
    latency: duration(({ durationMs }) => durationMs, "Like `duration`."),
    bytes: size(({ resultBytes }) => resultBytes, "Size of the result."),
    ...moments<AuditRecord>(({ at }) => at, "Began"),
  },
};

/** The first of some members of an event that is a text, or a list of texts. */
function member(...names: readonly string[]) {
  return ({ fields }: GatewayEvent): string | readonly string[] | undefined => {
    const value = names.map((name) => fields[name]).find((found) => found !== undefined);
    return typeof value === "string" || isTexts(value) ? value : undefined;
  };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === "string");
}

/** Routes that take a filter. */
type FilteredRoute = {
  [Name in RouteName]: "filter" extends keyof RouteQuery<Name> ? Name : never;
}[RouteName];

type ItemOf<Name extends RouteName> = RouteAnswer<Name> extends { items: readonly (infer Item)[] }
  ? Item
  : RouteAnswer<Name>;

/** The fields of every route that takes a filter. */
export const FILTERS = {
  backends,
  capabilities,
  refused,
  sessions,
  limits,
  killSwitches,
  events,
  eventStream: events,
  callStream: calls,
  audit,
  auditRun: audit,
} as const satisfies { [Name in FilteredRoute]: FilterFields<ItemOf<Name>> };
