/** How a call ended, in the words of the metrics. */
import { type ErrorName, ERRORS, type Fault } from "../../contract/mod.ts";
import type { CallOutcome, DenialReason } from "../../contract/metrics.ts";
import type { Call, Outcome } from "./call.ts";

/** One object for each way to end, so that series can be found by identity. */
export interface Ending {
  readonly outcome: CallOutcome;
  /** `error.type`; `""` when it is no error of the server (mistakes of callers are none). */
  readonly errorType: string;
  /** JSON-RPC code of the answer; `""` when it was none with an error. */
  readonly status: string;
  /** Counts into error ratios. */
  readonly failed: boolean;
  /** What turned the call away. */
  readonly denial: DenialReason | undefined;
}

const FAILURES: ReadonlySet<CallOutcome> = new Set(
  ["upstream_error", "timeout", "circuit_open", "overload", "internal"] as const,
);

const BY_FAULT: Readonly<Record<Fault, CallOutcome>> = {
  caller: "invalid",
  operator: "killed",
  backend: "upstream_error",
  gateway: "internal",
};

/** Errors that end in another way than their fault says. */
const BY_NAME: { readonly [Name in ErrorName]?: CallOutcome } = {
  UNAUTHENTICATED: "denied",
  INSUFFICIENT_SCOPE: "denied",
  ORIGIN_OR_HOST_REFUSED: "denied",
  ADDRESS_REFUSED: "denied",
  RATE_LIMITED: "limited",
  BACKEND_TIMEOUT: "timeout",
  CIRCUIT_OPEN: "circuit_open",
  OVERLOADED: "overload",
  STOPPING: "overload",
  DEFINITION_DRIFT: "denied",
  POLICY_DENIED: "denied",
  APPROVAL_REQUIRED: "denied",
};

const DENIALS: { readonly [Name in ErrorName]?: DenialReason } = {
  UNAUTHENTICATED: "auth",
  TOOL_DISABLED: "kill_switch",
  BACKEND_DISABLED: "kill_switch",
  CIRCUIT_OPEN: "circuit_open",
  OVERLOADED: "concurrency",
  RATE_LIMITED: "rate_limit",
  ORIGIN_OR_HOST_REFUSED: "origin",
  ADDRESS_REFUSED: "address",
  ARGUMENTS_REJECTED: "schema",
  SESSION_UNKNOWN: "session",
  AUDIT_UNAVAILABLE: "audit",
  DEFINITION_DRIFT: "definition",
  POLICY_DENIED: "rule",
  APPROVAL_REQUIRED: "rule",
};

const OK = ending("ok", "");
const TOOL_ERROR: Ending = { ...ending("ok", ""), outcome: "tool_error", errorType: "tool_error" };
const CANCELLED = ending("cancelled", "");
/** Told as result: there is no code in the answer. */
const REJECTED = ending("invalid", "", "schema");

const REFUSED: ReadonlyMap<ErrorName, Ending> = new Map(
  (Object.keys(ERRORS) as ErrorName[]).map((name) => {
    const { code, fault } = ERRORS[name];
    return [name, ending(BY_NAME[name] ?? BY_FAULT[fault], String(code), DENIALS[name])];
  }),
);

/** Answers of backends: the caller's mistakes, a flow the caller has to go through, failures. */
const REMOTE: ReadonlyMap<number, Ending> = new Map([
  ...[-32700, -32600, -32601, -32602, -32002].map((code) => remote("invalid", code)),
  remote("denied", -32042),
  ...[-32603, -32000, -32001].map((code) => remote("upstream_error", code)),
]);
/** Codes a backend made up: it could make up as many as it likes. */
const REMOTE_OTHER = ending("upstream_error", "_other");

export function endingOf(call: Call, outcome: Outcome): Ending {
  switch (outcome.kind) {
    case "result":
      if (outcome.rejected !== undefined) return REJECTED;
      return call.answer !== undefined && "isError" in call.answer ? TOOL_ERROR : OK;
    case "accepted":
      return CANCELLED;
    case "remote":
      return REMOTE.get(outcome.error.code) ?? REMOTE_OTHER;
    case "refused":
      return endingOfRefusal(outcome.error.code);
  }
}

export function endingOfRefusal(error: ErrorName): Ending {
  return REFUSED.get(error) as Ending;
}

/** What a refusal before there is a call counts as, if anything. */
export function denialOf(error: ErrorName): DenialReason | undefined {
  return DENIALS[error];
}

function remote(outcome: CallOutcome, code: number): readonly [number, Ending] {
  return [code, ending(outcome, String(code))];
}

function ending(outcome: CallOutcome, status: string, denial?: DenialReason): Ending {
  const failed = FAILURES.has(outcome);
  return { outcome, errorType: failed ? status : "", status, failed, denial };
}
