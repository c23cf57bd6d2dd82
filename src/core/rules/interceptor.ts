/**
 * What a program that embeds the gateway writes to look at calls: an object with a hook for each phase it cares
 * about. A hook answers at once or with a promise; `undefined` means it has nothing to say. What throws, takes
 * longer than `interceptors.timeout` or answers in another shape refuses what it looked at.
 */
import type { SentinelError } from "../../contract/mod.ts";
import type { ItemKind } from "../catalog/types.ts";
import type { JsonObject } from "../mcp/json.ts";

/** What a request is for: a tool, prompt, resource or template of the catalog. */
export interface TargetFacts {
  /** As clients write it; of a resource its URI in plain spelling. */
  readonly name: string;
  readonly backend: string;
  /** The backend's own name. */
  readonly original: string;
  readonly kind: ItemKind;
  /** What the backend declares; for tools with the defaults of the specification. */
  readonly annotations: Readonly<JsonObject>;
}

/** Who calls; texts are empty where there is nothing to tell. */
export interface IdentityFacts {
  readonly id: string;
  readonly subject: string;
  readonly issuer: string;
  /** Of the configuration; empty while sign-in is off. */
  readonly roles: readonly string[];
}

export interface SessionFacts {
  /** The name operators see, not the id that clients send. */
  readonly id: string;
  readonly transport: string;
  readonly protocol: string;
  /** Name and version the client gave. */
  readonly client: string;
  readonly toolset: string;
}

/** What every hook sees. */
export interface Intercepted {
  readonly identity: IdentityFacts;
  readonly session: SessionFacts;
  /** Aborted when nobody waits any more: cancelled, or too late. */
  readonly signal: AbortSignal;
}

/** A client's request on its way to a backend. */
export interface CallRequest extends Intercepted {
  readonly request: { readonly id: string };
  readonly method: string;
  readonly tool: TargetFacts;
  readonly params: Readonly<JsonObject>;
  /** Arguments with the configured defaults; of methods without any an empty object. */
  readonly args: Readonly<JsonObject>;
  /** Notes a decision for the audit, in words. */
  readonly note: (decision: string) => void;
}

/** A backend's answer on its way to the client. */
export interface ResultRequest extends Intercepted {
  readonly request: { readonly id: string };
  readonly method: string;
  readonly tool: TargetFacts;
  readonly args: Readonly<JsonObject>;
  /** JSON text of the result, or of the error object when `isError`. */
  readonly text: string;
  /** The same, parsed when it is first read. */
  readonly result: Readonly<JsonObject>;
  /** The backend answered with a JSON-RPC error. */
  readonly isError: boolean;
  readonly note: (decision: string) => void;
}

/** Items on their way into a list, or the one item that a call is for. */
export interface ListRequest extends Intercepted {
  readonly items: readonly TargetFacts[];
}

/** A backend's question (elicitation, sampling, roots) on its way to the client. */
export interface AskRequest extends Intercepted {
  readonly method: string;
  readonly params: Readonly<JsonObject>;
  /** Empty when the question belongs to no call. */
  readonly backend: string;
}

/** The client's answer on its way to the backend. */
export interface ReplyRequest extends AskRequest {
  readonly result: Readonly<JsonObject>;
}

/** Refuses with POLICY_DENIED and this reason, or with an error of the table. */
export type Refusal = { readonly deny: string } | { readonly error: SentinelError };

/** What a hook answers: nothing, a refusal, or something else in place of what it saw. */
export type Verdict<Change> = undefined | Refusal | Change;

export interface Verdicts {
  readonly call: Verdict<{ readonly params: JsonObject }>;
  readonly result: Verdict<{ readonly result: JsonObject }>;
  /** `keep` are those of `items` that stay; a call to any other is answered as unknown. */
  readonly list: Verdict<{ readonly keep: readonly TargetFacts[] }>;
  readonly ask: Verdict<{ readonly params: JsonObject }>;
  readonly reply: Verdict<{ readonly result: JsonObject }>;
}

export interface Requests {
  readonly call: CallRequest;
  readonly result: ResultRequest;
  readonly list: ListRequest;
  readonly ask: AskRequest;
  readonly reply: ReplyRequest;
}

export type Phase = keyof Requests;

export type Hook<P extends Phase> = (
  request: Requests[P],
) => Verdicts[P] | Promise<Verdicts[P]>;

/** Looks at what passes, in both directions. Its name is what `interceptors.order` and refusals call it. */
export interface Interceptor {
  readonly name: string;
  readonly call?: Hook<"call">;
  readonly result?: Hook<"result">;
  /** Whether the text of a result has nothing for `result`: asked first, because it costs less than showing it. */
  readonly skipsResult?: (text: string) => boolean;
  readonly list?: Hook<"list">;
  readonly ask?: Hook<"ask">;
  readonly reply?: Hook<"reply">;
}
