/** What goes wrong on an HTTP wire, in the words of the error table. */
import { asSentinelError, type Executed, HttpFailure, SentinelError } from "../../contract/mod.ts";
import type { HttpResponse } from "../../ports/http_client.ts";

/** `details.more.fallback` when the address may speak HTTP+SSE instead. */
const HTTP_SSE = "http_sse";

const UNAUTHENTICATED = 401;
const FORBIDDEN = 403;
/** For a request that names a session: the backend has forgotten it (2025-03-26, session management). */
const NOT_FOUND = 404;
/** Statuses that say by definition that the request was not carried out. */
const NOT_EXECUTED = [401, 403, 405, 406, 413, 415, 429];
/** Client errors that say nothing of what a server speaks: sign in, come later, too slow. */
const NO_EVIDENCE = [401, 403, 407, 408, 429];
/** Statuses of a server that is there but cannot serve right now. */
const UNAVAILABLE = [429, 502, 503, 504];

/** The backend could not be reached or went away. */
export function lost(backend: string, what: string, executed: Executed): SentinelError {
  return new SentinelError("BACKEND_LOST", `Cannot reach backend "${backend}": ${what}`, {
    backend,
    executed,
  });
}

/** The backend answered something that is not MCP. */
export function unusable(backend: string, what: string, reason?: string): SentinelError {
  return new SentinelError(
    "BACKEND_PROTOCOL",
    `Cannot use the answer of backend "${backend}": ${what}`,
    { backend, executed: "unknown", ...(reason === undefined ? {} : { reason }) },
  );
}

/** Any thrown value of an exchange as error about this backend. */
export function wireError(backend: string, thrown: unknown): SentinelError {
  if (thrown instanceof HttpFailure) {
    if (thrown.unusable) return unusable(backend, thrown.message);
    return lost(backend, thrown.message, thrown.sent ? "unknown" : "no");
  }
  return asSentinelError(thrown);
}

/** What an HTTP error status says; `sample` is the beginning of its body. */
export interface StatusFacts {
  readonly backend: string;
  readonly response: HttpResponse;
  readonly sample: string;
  /** The request named a session. */
  readonly inSession: boolean;
}

/** The error for a status outside of 200–299; `details.more.status` has it. */
export function statusError(facts: StatusFacts): SentinelError {
  const { backend, response, inSession } = facts;
  const { status } = response;
  const [code, what, reason] = meaningOf(facts);
  const notExecuted = NOT_EXECUTED.includes(status) || (status === NOT_FOUND && inSession);
  const wait = retryAfterMs(response);
  return new SentinelError(code, `Cannot reach backend "${backend}": ${what} (status ${status})`, {
    backend,
    executed: notExecuted ? "no" : "unknown",
    more: { status },
    ...(reason === undefined ? {} : { reason }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}

type Meaning = readonly ["BACKEND_LOST" | "BACKEND_PROTOCOL", string, string | undefined];

function meaningOf({ response: { status }, sample, inSession }: StatusFacts): Meaning {
  // In quotes, so that no body can pass for one of our own reasons.
  const said = sample === "" ? undefined : `"${sample}"`;
  if (status < 400) return ["BACKEND_PROTOCOL", "it redirects", "redirect refused"];
  if (status === UNAUTHENTICATED || status === FORBIDDEN) {
    return ["BACKEND_LOST", "it refused our credentials", "unauthorized"];
  }
  if (status === NOT_FOUND && inSession) {
    return ["BACKEND_LOST", "it no longer knows the session", "session lost"];
  }
  if (UNAVAILABLE.includes(status)) return ["BACKEND_LOST", "it is not available", said];
  return ["BACKEND_PROTOCOL", "it answered with an HTTP error", said];
}

function retryAfterMs(response: HttpResponse): number | undefined {
  const header = response.header("retry-after");
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : undefined;
}

/** The error with the hint that the address may speak HTTP+SSE (2024-11-05) instead. */
export function withFallback(error: SentinelError): SentinelError {
  const { details } = error;
  const more = { ...details.more, fallback: HTTP_SSE };
  return new SentinelError(error.code, error.message, { ...details, more });
}

/** True when an error of one exchange means that no other on this wire can succeed. */
export function endsWire({ code, details: { more } }: SentinelError): boolean {
  const sessionLost = code === "BACKEND_LOST" && more?.["status"] === NOT_FOUND;
  return sessionLost || more?.["status"] === UNAUTHENTICATED || more?.["fallback"] === HTTP_SSE;
}

/** True when the same request may well succeed a little later. */
export function isTransient({ code, details: { more } }: SentinelError): boolean {
  const status = more?.["status"];
  return code === "BACKEND_LOST" && (status === undefined || UNAVAILABLE.includes(Number(status)));
}

/** True for the status of a refusal that says something of which era a backend speaks (protocol.md 4.2). */
export function isEvidence(status: number): boolean {
  return status >= 400 && status <= 499 && !NO_EVIDENCE.includes(status);
}

/** The same error for the other requests of the wire: what became of them is not known. */
export function forOthers(error: SentinelError): SentinelError {
  return new SentinelError(error.code, error.message, { ...error.details, executed: "unknown" });
}
