/** What the management API answers. The same objects are the CLI's `--json` and what a TUI shows. */
import * as v from "valibot";
import { AuditAccountSchema, AuditRecordSchema, AuditRunSchema, BRIDGES } from "../audit.ts";
import { FindingSchema, HeldSchema, PinSchema } from "../definitions.ts";
import { amount, count, flag, list, maybe, moment, oneOf, text } from "../describe.ts";
import { GatewayEventSchema, SEVERITIES } from "../events.ts";
import { ActorSchema, ConfigChangeSchema, OperationSchema } from "../operations.ts";
import { ReadinessSchema } from "../readiness.ts";
import {
  BackendStatusSchema,
  CatalogSummarySchema,
  ERAS,
  RefusedItemSchema,
  RuntimeStateSchema,
  TrafficSchema,
} from "../status.ts";

const revision = count("Revision of the gateway when this was read.");

/** One page of a list. */
function pageOf<const Item extends v.GenericSchema>(item: Item) {
  return v.object({
    items: list(item, "The page."),
    next: maybe(text("Send it as `after` to get the next page; missing on the last one.")),
    revision,
  });
}

export const HealthAnswer = v.object({
  state: RuntimeStateSchema,
  name: text("Name of the gateway."),
  revision,
});

export const StatusAnswer = v.object({
  name: text("Name of the gateway."),
  version: text("Version of the product."),
  state: RuntimeStateSchema,
  reasons: list(v.string(), "Why it is not ready; empty when it is."),
  readiness: v.pipe(ReadinessSchema, v.description("What `/ready` answers to load balancers.")),
  revision,
  startedAt: moment("When it was started."),
  uptimeSeconds: count("How long it has been running."),
  runtime: v.object({ name: text("node, deno or bun."), version: text("Its version.") }),
  pid: maybe(count("Process id.")),
  endpoint: maybe(text("URL for MCP clients; missing when nothing listens.")),
  config: v.object({
    source: text("File it came from."),
    hash: text("First 12 hex digits of a hash over the resolved, masked configuration."),
    loadedAt: moment("When it was last applied."),
    loadedBy: text("Who applied it: `start`, a token, `signal`, `file watch` or `grace check`."),
    restartPending: list(v.string(), "Changed keys that wait for the next start."),
  }),
  backends: v.object({
    total: count("Configured backends."),
    states: v.pipe(v.record(v.string(), v.number()), v.description("State = how many.")),
  }),
  catalog: CatalogSummarySchema,
  sessions: count("Open sessions."),
  parked: maybe(count("Calls of modern clients that wait for an answer to a question.")),
  listens: maybe(count("Open listens of modern clients.")),
  inFlight: count("Calls being answered."),
  traffic: TrafficSchema,
  killSwitches: count("Kill switches that are set."),
  stores: list(
    v.object({
      name: text("What is kept in it."),
      kind: text("What it is."),
      ok: flag("Whether it accepts what it gets."),
      error: maybe(text("Why not.")),
    }),
    "Health of the stores.",
  ),
  audit: v.pipe(AuditAccountSchema, v.description("What became of the rows of the audit.")),
  events: v.object({
    oldest: text("Cursor of the oldest event kept; `0` when there is none."),
    last: text("Cursor of the newest event; `0` when there is none."),
  }),
  log: v.object({
    level: oneOf(SEVERITIES, "Least severe events that are written."),
    until: maybe(moment("When it falls back to the configured level.")),
  }),
  you: maybe(v.pipe(ActorSchema, v.description("Who asked, as the gateway sees it."))),
});
export type Status = v.InferOutput<typeof StatusAnswer>;

export const BackendListAnswer = pageOf(BackendStatusSchema);

export const BackendAnswer = v.object({ ...BackendStatusSchema.entries, revision });

export const BackendLogsAnswer = v.object({
  backend: text("Its name."),
  lines: list(v.string(), "Last stderr lines, oldest first, at most 200."),
  total: count("Lines ever written."),
  revision,
});

const CAPABILITY_KINDS = ["tool", "prompt", "resource", "template"] as const;

/** A tool, prompt, resource or resource template as the catalog shows it. */
export const CapabilitySchema = v.object({
  kind: oneOf(CAPABILITY_KINDS, "What it is."),
  name: text("Exposed name, or URI."),
  backend: text("Who offers it."),
  original: text("The backend's own name for it."),
  description: maybe(text("First 500 characters of its description.")),
  hash: text("Hash of its definition as shown to clients."),
  toolsets: list(v.string(), "Toolsets that show it."),
  roles: list(v.string(), "Roles that show it, each by itself."),
  killed: maybe(text("Reason of the kill switch it falls under.")),
  pin: maybe(
    v.pipe(PinSchema, v.description("What is remembered of it; tools and prompts only.")),
  ),
  held: maybe(
    v.pipe(HeldSchema, v.description("It is neither listed nor called until this is approved.")),
  ),
  findings: list(FindingSchema, "What is suspicious in its definition; empty when nothing."),
});
export type Capability = v.InferOutput<typeof CapabilitySchema>;

export const CapabilityListAnswer = pageOf(CapabilitySchema);

export const CapabilityAnswer = v.object({
  ...CapabilitySchema.entries,
  definition: v.pipe(v.record(v.string(), v.unknown()), v.description("As shown to clients.")),
  revision,
});

export const RefusedListAnswer = pageOf(RefusedItemSchema);

export const EventListAnswer = v.object({
  items: list(GatewayEventSchema, "Events after the cursor, oldest first."),
  next: maybe(text("Cursor of the last one; send it as `after`. Missing when there is no more.")),
  last: text("Cursor of the newest event there is."),
  lost: maybe(count("Events after the cursor that are not kept any more.")),
  revision,
});

/** One call that has ended. Never an argument or a result. */
export const CallSchema = v.object({
  request: text("UUIDv7; the same in error data, log and audit."),
  at: moment("When it ended."),
  method: text("MCP method."),
  name: maybe(text("Tool, prompt or URI, once it was found in the catalog.")),
  backend: maybe(text("Who answered.")),
  outcome: text("As in the metric label `sentinel_outcome`."),
  error: maybe(text("Stable code of a refusal.")),
  durationMs: amount("From its arrival to its answer."),
  principal: maybe(text("Issuer and subject of the caller; missing while sign-in is off.")),
  session: maybe(text("Id of the session as `/sessions` shows it; missing for a modern client.")),
  transport: text("Front it came by."),
  era: maybe(oneOf(ERAS, "Era of the client's protocol revision.")),
  protocol: text("Protocol revision of the client."),
  backendProtocol: maybe(text("Protocol revision spoken with the backend.")),
  bridge: maybe(oneOf(BRIDGES, "Between which eras it was translated; missing within one.")),
  rounds: maybe(count("How often the caller was asked something before the answer.")),
});
export type CallRecord = v.InferOutput<typeof CallSchema>;

/** One client session. The id is not the one on the wire: that one could be used to speak in it. */
export const SessionSchema = v.object({
  id: text("12 hex digits."),
  principal: maybe(text("Issuer and subject it belongs to; missing while sign-in is off.")),
  client: maybe(text("Name and version the client gave.")),
  transport: text("Front it came by."),
  protocol: text("Negotiated protocol revision."),
  toolset: maybe(text("Named view it uses.")),
  openedAt: moment("When it was opened."),
  idleSeconds: count("Since its last sign of life."),
  calls: count("Calls so far."),
  inFlight: count("Calls being answered."),
  streams: count("Open event streams."),
  restored: list(v.string(), "What was re-established for it, newest last."),
  lost: list(v.string(), "What could not be kept for it, newest last."),
});
export type SessionStatus = v.InferOutput<typeof SessionSchema>;

export const SessionListAnswer = pageOf(SessionSchema);

export const SessionAnswer = v.object({
  ...SessionSchema.entries,
  capabilities: list(v.string(), "What the client declared it can answer."),
  links: list(v.string(), "Backends with a connection of its own for this session."),
  revision,
});

export const KillSwitchSchema = v.object({
  scope: oneOf(["tools", "backends"], "What it ends calls to."),
  name: text("Name, or pattern with `*` over exposed tool names."),
  reason: text("Why; told to callers."),
  by: text("Who set it."),
  since: moment("When it was set."),
  from: oneOf(
    ["operator", "config"],
    "Whether the configuration file has to be changed to clear it.",
  ),
  matches: count("Tools or backends it covers now."),
});
export type KillSwitch = v.InferOutput<typeof KillSwitchSchema>;

export const KillSwitchListAnswer = pageOf(KillSwitchSchema);

/** One bucket of calls: a caller's for a tool, or for a method and a backend. */
export const LimitSchema = v.object({
  caller: text("Id of the principal; without sign-in `session` and its id."),
  name: text("Exposed tool name; for other methods the method and the backend."),
  limit: text("Rate of the last call, such as `60/min`."),
  burst: count("Calls that may come at once."),
  used: count("Calls of these that the rate has not given back yet."),
  rejected: count("Calls refused since the bucket was made; it goes when nobody used it for long."),
  nextMs: count("Milliseconds until a call is allowed; 0: now."),
});
export type LimitStatus = v.InferOutput<typeof LimitSchema>;

export const LimitListAnswer = pageOf(LimitSchema);

export const AuditListAnswer = pageOf(AuditRecordSchema);

export const AuditRunListAnswer = v.object({
  ...pageOf(AuditRunSchema).entries,
  current: text("The run of the gateway that answers."),
});

export const AuditRunAnswer = v.object({
  instance: text("UUIDv7 of the run."),
  ...pageOf(AuditRecordSchema).entries,
  last: count("Number of the last row that was looked at: `after` of who follows the run."),
});

export const ConfigAnswer = v.object({
  source: text("File it came from."),
  hash: text("As in the status."),
  config: v.pipe(
    v.record(v.string(), v.unknown()),
    v.description("In force: defaults filled in, secrets replaced, spelled as in the file."),
  ),
  revision,
});

export const DiffAnswer = v.object({
  changes: list(ConfigChangeSchema, "What a reload would do; empty when nothing."),
  starts: list(v.string(), "Backends that would be started."),
  stops: list(v.string(), "Backends that would be stopped."),
  reconnects: list(v.string(), "Backends whose connections would be made anew."),
  sessions: count("Sessions that would be closed because their toolset goes."),
  warnings: list(v.string(), "What works but should be looked after."),
  hash: text("Hash of the configuration on disk."),
  revision,
});
export type Diff = v.InferOutput<typeof DiffAnswer>;

export const OperationAnswer = OperationSchema;

export const ReloadAnswer = v.object({
  ...OperationSchema.entries,
  changes: list(ConfigChangeSchema, "What was changed."),
  hash: text("Hash of the configuration in force."),
});

export const ApproveAnswer = v.object({
  ...OperationSchema.entries,
  hash: text("SHA-256 of the definition that is approved."),
});

export const KillAnswer = v.object({
  ...OperationSchema.entries,
  matches: count("Tools or backends the switch covers now."),
});

export const ErrorAnswer = v.object({
  error: v.object({
    code: text("Stable name of the error table."),
    message: text("What happened."),
    request: text("UUIDv7 of the request; the same in log and journal."),
    remedy: text("What to do."),
    reason: maybe(text("More about why.")),
    retryAfterMs: maybe(count("When to try again.")),
    issues: maybe(
      list(v.record(v.string(), v.unknown()), "Mistakes of a configuration, with line and column."),
    ),
    last: maybe(text("Newest cursor there is.")),
  }),
});
export type ErrorBody = v.InferOutput<typeof ErrorAnswer>["error"];
