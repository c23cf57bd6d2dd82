/** A request on its way, and the errors of what can happen to it. */
import type { RouteRow } from "../contract/manage/mod.ts";
import { ManagementError, type ManagementErrorDetails } from "./errors.ts";
import type { Target } from "./options.ts";
import { unlessAborted } from "./watch.ts";

/** One request, ready to go. */
export interface Call {
  readonly target: Target;
  readonly row: RouteRow;
  /** Path and query. */
  readonly address: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly idempotencyKey?: string | undefined;
}

/**
 * Awaits a step of the exchange; what fails it is the connection.
 * @throws ManagementError `unreachable`; the signal's reason when that is aborted
 */
export async function reached<Value>(
  call: Call,
  work: Promise<Value>,
  signal: AbortSignal,
): Promise<Value> {
  try {
    return await unlessAborted(work, signal);
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw failure(call, "unreachable", `Cannot reach ${call.target.base}: ${whyOf(cause)}`, cause);
  }
}

/** Text for what took longer than `ms`. */
export function timedOut(call: Call, ms: number): ManagementError {
  const { base } = call.target;
  return failure(call, "timeout", `No answer from ${base} within ${ms / 1000} s`);
}

/** An answer that is none of this API. */
export function mismatch(call: Call, why: string, details: ManagementErrorDetails = {}) {
  const { target, row } = call;
  const text = `${row.method} ${row.path} at ${target.base}: ${why}`;
  return new ManagementError("mismatch", target.mask(text), details);
}

function failure(call: Call, kind: "unreachable" | "timeout", text: string, cause?: unknown) {
  const { target, idempotencyKey } = call;
  return new ManagementError(kind, target.mask(text), { idempotencyKey }, cause);
}

/** The runtimes wrap what happened (`fetch failed`); the innermost error says it. */
function whyOf(thrown: unknown): string {
  let inner = thrown;
  for (let depth = 0; depth < 5; depth++) {
    const next = inner instanceof AggregateError
      ? inner.errors[0] as unknown
      : inner instanceof Error
      ? inner.cause
      : undefined;
    if (next === undefined) break;
    inner = next;
  }
  if (!(inner instanceof Error)) return String(inner);
  const { code } = inner as { code?: unknown };
  if (inner.message !== "") return inner.message;
  return typeof code === "string" ? code : inner.name;
}
