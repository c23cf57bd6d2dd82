/** What the state of a gateway and of its backends looks like: plain JSON, no callbacks. */
import * as v from "valibot";
import { amount, count, flag, list, maybe, moment, namesOf, oneOf, text } from "./describe.ts";

/** States of the whole gateway. */
export const RUNTIME_STATES = {
  starting: "first handshakes are under way",
  ready: "every enabled backend answers",
  degraded: "calls are served, but something is missing; `reasons` says what",
  failed: "no enabled backend answers, or what calls depend on is lost",
  stopping: "a stop was asked for; calls drain",
  stopped: "everything is closed",
} as const;
export type RuntimeState = keyof typeof RUNTIME_STATES;

/** States of one backend. `ready` always means: the handshake was answered. */
export const BACKEND_STATES = {
  starting: "first handshake under way",
  ready: "handshake answered, catalog read",
  degraded: "connected, but part of its catalog could not be read",
  backoff: "failed; the next try is scheduled",
  fatal: "failed too often in a row; waits for an operator or a changed configuration",
  needs_login: "refused our credentials",
  disabled: "configured with enabled = false",
  stopping: "being stopped",
  stopped: "stopped",
} as const;
export type BackendState = keyof typeof BACKEND_STATES;

export const BACKEND_KINDS = ["http", "http_sse", "stdio"] as const;
export type BackendKind = (typeof BACKEND_KINDS)[number];

export const RuntimeStateSchema = oneOf(namesOf(RUNTIME_STATES), "State of the gateway.");
const BackendStateSchema = oneOf(namesOf(BACKEND_STATES), "State of the backend.");

/** Whether clients shake hands and have sessions, or each request says everything itself. */
export const ERAS = ["legacy", "modern"] as const;
export type Era = (typeof ERAS)[number];

/** What a circuit does with calls: `closed` lets them pass, `half_open` one of them. */
export const CIRCUIT_STATES = ["closed", "open", "half_open"] as const;
export type CircuitState = (typeof CIRCUIT_STATES)[number];

/** Whether calls to a backend pass. */
const CircuitSchema = v.object({
  state: oneOf(CIRCUIT_STATES, "Of the backend as a whole."),
  until: maybe(moment("When an open circuit lets a probe pass.")),
  tools: list(v.string(), "Tools, by the backend's own names, whose own circuit is not closed."),
});

/** Counters of things a backend sent that belong to nobody. */
const DroppedMessagesSchema = v.object({
  foreign: count("Replies whose id we never used."),
  duplicate: count("Second replies to the same id."),
  late: count("Replies after timeout or cancellation."),
  invalid: count("Lines or events that are not JSON-RPC."),
  unattributed: count("Server requests and log messages that could belong to several sessions."),
});
export type DroppedMessages = v.InferOutput<typeof DroppedMessagesSchema>;

/** Calls of the last minute. */
export const TrafficSchema = v.object({
  callsPerMinute: count("Calls that ended in the last 60 s."),
  errorRatio: amount("Share of them that failed, 0 to 1; a caller's own mistakes do not count."),
  p50Ms: maybe(amount("Half of them took at most so long (upper bound of a bucket), ms.")),
  p95Ms: maybe(amount("95 % of them took at most so long (upper bound of a bucket), ms.")),
});
export type Traffic = v.InferOutput<typeof TrafficSchema>;

/** One backend, with everything needed to see why it is as it is. */
export const BackendStatusSchema = v.object({
  name: text("Name in the configuration."),
  alias: text("Prefix of its exposed names."),
  kind: oneOf(BACKEND_KINDS, "How it is reached."),
  state: BackendStateSchema,
  since: moment("Since when in this state."),
  protocol: maybe(text("Negotiated protocol revision of the last good handshake.")),
  era: maybe(
    oneOf(ERAS, "Era of that revision: sessions, or requests that say everything themselves."),
  ),
  lastError: maybe(text("Last failure; kept while it is ready again.")),
  exitCode: maybe(amount("Exit code of the last child, for stdio backends.")),
  signal: maybe(text("Signal that ended the last child.")),
  stderr: list(v.string(), "Last stderr lines, oldest first, control characters escaped."),
  nextRetry: maybe(moment("When the next connection attempt is due.")),
  restarts: count("Connection attempts after the first."),
  pid: maybe(count("Process id of the child.")),
  tools: count("Tools it offers."),
  prompts: count("Prompts it offers."),
  resources: count("Resources it offers."),
  templates: count("Resource templates it offers."),
  inFlight: count("Calls it is answering."),
  queued: count("Calls that wait because it works on as many as it may."),
  links: count("Connections to it."),
  circuit: CircuitSchema,
  lastPing: maybe(v.pipe(
    v.object({
      at: moment("When it was sent."),
      ok: flag("Whether it was answered."),
      ms: amount("How long it took."),
    }),
    v.description("The newest health check."),
  )),
  lost: list(
    v.string(),
    "What it has forgotten with connections that were made anew, newest last.",
  ),
  killed: maybe(text("Reason of the kill switch that is set for it.")),
  traffic: TrafficSchema,
  dropped: DroppedMessagesSchema,
});
export type BackendStatus = v.InferOutput<typeof BackendStatusSchema>;

const REFUSED_KINDS = ["tool", "prompt", "resource", "template"] as const;

/** An item of a backend that was left out of the catalog. */
export const RefusedItemSchema = v.object({
  backend: text("Backend it belongs to."),
  kind: oneOf(REFUSED_KINDS, "What it is."),
  name: text("Its name, or `*` for the whole list."),
  reason: text("Why it was left out."),
});
export type RefusedItem = v.InferOutput<typeof RefusedItemSchema>;

/** Sizes of the merged catalog. */
export const CatalogSummarySchema = v.object({
  revision: count("Grows when the catalog changes."),
  tools: count("Tools shown."),
  prompts: count("Prompts shown."),
  resources: count("Resources shown."),
  templates: count("Resource templates shown."),
  refused: count("Items that were left out; `/manage/v1/capabilities/refused` lists them."),
});

/** The whole state in one piece, for programs that embed the gateway. */
export interface Snapshot {
  readonly name: string;
  readonly version: string;
  readonly state: RuntimeState;
  /** Why it is not `ready`; empty when it is. */
  readonly reasons: readonly string[];
  /** Grows with every visible change. */
  readonly revision: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly backends: readonly BackendStatus[];
  readonly sessions: number;
  readonly catalog: {
    readonly revision: number;
    readonly tools: number;
    readonly prompts: number;
    readonly resources: number;
    readonly templates: number;
    /** Items that were refused, with the reason. */
    readonly refused: readonly RefusedItem[];
  };
}
