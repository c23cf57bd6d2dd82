/** Why a request to the management API failed, in terms of who asked. */
import type { ErrorBody } from "../contract/manage/mod.ts";

/** Kinds of failure, each with what to do where the gateway does not say it. */
export const FAILURES = {
  unreachable: "Check the address, and that the gateway is running.",
  timeout: "Look at the state of the gateway, or allow more time.",
  unauthorized: "Use a token that is valid now.",
  forbidden: "Use a token with the scope that is needed.",
  not_found: "List what there is and use a name from the list.",
  refused: "Correct the request.",
  mismatch:
    "Check that the address is that of a management API and that client and gateway have the " +
    "same version.",
  server: "Look the request up in the log of the gateway.",
} as const;
export type FailureKind = keyof typeof FAILURES;

const MAY_BE_DONE =
  "It may have been done: look at its effect, or repeat it with the same `idempotencyKey`.";

/** What is known about a failure beside its text. */
export interface ManagementErrorDetails extends Partial<Omit<ErrorBody, "message">> {
  /** HTTP status of the answer. */
  readonly status?: number | undefined;
  /** Key of the operation that was asked for. */
  readonly idempotencyKey?: string | undefined;
}

/**
 * A request that failed. `kind` is for programs; `message` and `remedy` are for people and never
 * contain the token.
 */
export class ManagementError extends Error {
  readonly kind: FailureKind;
  /** What to do. */
  readonly remedy: string;
  /** Stable name of the gateway's error table; undefined when the gateway gave none. */
  readonly code: string | undefined;
  /** UUIDv7 of the request, the same in log and journal of the gateway. */
  readonly request: string | undefined;
  /** More about why. */
  readonly reason: string | undefined;
  /** Mistakes of a configuration, with line and column. */
  readonly issues: ErrorBody["issues"];
  /** When to try again, in milliseconds from now. */
  readonly retryAfterMs: number | undefined;
  /** Newest cursor there is, when the one sent is unknown. */
  readonly last: string | undefined;
  /** HTTP status; undefined when no answer came. */
  readonly status: number | undefined;
  /** Of an operation whose answer was lost: with it the operation can be repeated safely. */
  readonly idempotencyKey: string | undefined;

  constructor(
    kind: FailureKind,
    message: string,
    details: ManagementErrorDetails = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ManagementError";
    this.kind = kind;
    this.remedy = details.remedy ?? remedyOf(kind, details);
    this.code = details.code;
    this.request = details.request;
    this.reason = details.reason;
    this.issues = details.issues;
    this.retryAfterMs = details.retryAfterMs;
    this.last = details.last;
    this.status = details.status;
    this.idempotencyKey = details.idempotencyKey;
  }
}

function remedyOf(kind: FailureKind, { idempotencyKey }: ManagementErrorDetails): string {
  const unknown = kind === "unreachable" || kind === "timeout";
  if (!unknown || idempotencyKey === undefined) return FAILURES[kind];
  return `${FAILURES[kind]} ${MAY_BE_DONE}`;
}
