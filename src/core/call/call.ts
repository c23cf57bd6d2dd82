import type { Bridge } from "../../contract/audit.ts";
import type { RequestId, RpcError, SentinelError } from "../../contract/mod.ts";
import type { Draft } from "../audit/call_row.ts";
import type { Backend } from "../backends/backend.ts";
import type { Probe } from "../backends/circuits.ts";
import type { Ask, AskReply, Link, LinkReply } from "../backends/link.ts";
import type { Target, View } from "../catalog/types.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { World } from "../runtime/world.ts";
import type { Caller, InFlight } from "../session/caller.ts";
import { Session } from "../session/session.ts";
import type { CallTrace } from "../tracing/call_trace.ts";
import type { HeaderLookup } from "../tracing/trace_context.ts";

/** How a call ended. A plain value: no stage writes to the wire. */
export type Outcome =
  /** JSON text of the result; `rejected` when the gateway made it to tell of a mistake in the arguments. */
  | { readonly kind: "result"; readonly result: string; readonly rejected?: SentinelError }
  /** The backend's own error, passed on. */
  | { readonly kind: "remote"; readonly error: RpcError }
  /** A refusal of the table. */
  | { readonly kind: "refused"; readonly error: SentinelError }
  /** Cancelled by the client: nobody waits for an answer. */
  | { readonly kind: "accepted" };

/** The front's side of one call: turns what happens into its wire. */
export interface Reply {
  /** Value of a header of the request that is answered; undefined where it has none of its own. */
  readonly header?: HeaderLookup | undefined;
  /** A server message that belongs to this call. */
  notify(method: string, params: JsonObject): void;
  /** @throws SentinelError CLIENT_UNREACHABLE */
  ask(call: Call, ask: Ask): Promise<AskReply>;
  /** The call takes long. */
  beat(): void;
  /** Called exactly once, after `settle`. */
  finish(call: Call, outcome: Outcome): void;
}

/** One step of the line: returns nothing to go on, or how the call ended. */
export type Stage = (call: Call) => Outcome | undefined | Promise<Outcome | undefined>;

export interface CallInit {
  readonly request: RequestId;
  /** JSON text of the client's id. */
  readonly id: string;
  readonly method: string;
  readonly params: JsonObject;
  readonly caller: Caller;
  readonly world: World;
  readonly view: View;
  readonly reply: Reply;
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  /** Wall time, milliseconds since 1970. */
  readonly at: number;
  readonly size: number;
}

const NO_DECISIONS: readonly string[] = [];

/** One client request on its way through the line. All fields exist from the start (stable shape). */
export class Call implements InFlight {
  readonly request: RequestId;
  readonly id: string;
  readonly method: string;
  /** The parameters as they came. */
  readonly given: JsonObject;
  /** Replaced by `intercept` when a rule changes it. */
  params: JsonObject;
  readonly caller: Caller;
  readonly world: World;
  readonly view: View;
  readonly reply: Reply;
  readonly startedAt: number;
  /** Wall time of its arrival, milliseconds since 1970. */
  readonly at: number;
  /** Characters of its parameters as JSON text, as they came. */
  readonly size: number;
  /** Times the caller was asked something before the answer. */
  rounds = 0;
  /** The backend's own id of the task that is asked for; set by `resolve`. */
  task: string | undefined = undefined;
  /** What rules and checks decided, in words for the audit, in order. */
  decisions: readonly string[] = NO_DECISIONS;
  /** What the audit knows of it so far; set by `intent`. */
  draft: Draft | undefined = undefined;
  /** The JSON of it, once its intent is in the journal. */
  draftText: string | undefined = undefined;
  /** Undefined when nobody traces it. */
  trace: CallTrace | undefined = undefined;
  /** Set by `resolve`. */
  target: Target | undefined = undefined;
  /** Set by `limit`: counts into what may be under way, until it is settled. */
  holdsSlot = false;
  /** Set by `route`. */
  backend: Backend | undefined = undefined;
  /** Monotonic time at which its own time is over: set by `route`, and anew for each further round. */
  deadline = 0;
  /** Set by `route`. */
  link: Link | undefined = undefined;
  /** Counts into what its backend works on; set by `route`. */
  holdsPlace = false;
  /** What it shows decides circuits of its backend; others wait for it. */
  probe: Probe | undefined = undefined;
  /** Its client was told or asked something that belongs to it: it cannot be begun anew. */
  hasTold = false;
  /** Tells that the link is not needed any more; undefined when others keep it anyway. */
  giveBack: (() => void) | undefined = undefined;
  /** What the backend answered; set by `forward`, read by `result`. */
  answer: LinkReply | undefined = undefined;
  /** Milliseconds the backend took; set by `forward`, read by `settle`. */
  backendMs = 0;
  #cancelled: string | undefined = undefined;
  #failure: SentinelError | undefined = undefined;
  #onCancel: ((reason: string) => void) | undefined = undefined;

  constructor(init: CallInit) {
    this.request = init.request;
    this.id = init.id;
    this.method = init.method;
    this.given = init.params;
    this.params = init.params;
    this.caller = init.caller;
    this.world = init.world;
    this.view = init.view;
    this.reply = init.reply;
    this.startedAt = init.startedAt;
    this.at = init.at;
    this.size = init.size;
  }

  /** Its intent is in the journal: it may have reached a backend. */
  get isIntended(): boolean {
    return this.draftText !== undefined;
  }

  /** Between which eras it is translated; undefined within one. */
  get bridge(): Bridge | undefined {
    const { caller, link } = this;
    if (link === undefined || link.era === caller.era) return undefined;
    return caller.era === "legacy" ? "legacy-to-modern" : "modern-to-legacy";
  }

  /** Why the client no longer wants the answer, if so. */
  get cancelled(): string | undefined {
    return this.#cancelled;
  }

  cancel(reason: string): void {
    if (this.#cancelled !== undefined) return;
    this.#cancelled = reason;
    this.#onCancel?.(reason);
  }

  /** Why the gateway ended it while a backend worked on it, if so. */
  get failure(): SentinelError | undefined {
    return this.#failure;
  }

  /** Ends a call that waits: its client is told the error. */
  fail(error: SentinelError): void {
    if (this.#cancelled !== undefined || this.#failure !== undefined) return;
    this.#failure = error;
    this.#onCancel?.(error.message);
  }

  /** The one thing to stop when the call is cancelled or ended; the stage that waits sets it. */
  onCancel(stop: (reason: string) => void): void {
    this.#onCancel = stop;
    const reason = this.#cancelled ?? this.#failure?.message;
    if (reason !== undefined) stop(reason);
  }

  /** Notes what a rule or a check decided. */
  decided(decision: string): void {
    this.decisions = [...this.decisions, decision];
    this.trace?.event("sentinel.decision", { "sentinel.decision": decision });
  }

  beat(): void {
    this.reply.beat();
  }
}

/** The session of a call whose method only sessions have. */
export function sessionOf({ caller, method }: Call): Session {
  if (caller instanceof Session) return caller;
  throw new TypeError(`"${method}" needs a session`);
}
