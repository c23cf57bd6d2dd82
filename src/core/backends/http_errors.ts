/** What goes wrong on an HTTP wire, in the words of the error table. */
import { asSentinelError, type Executed, HttpFailure, SentinelError } from "../../contract/mod.ts";
import type { HttpResponse } from "../../ports/http_client.ts";

/** `details.reason` when the backend refused our credentials (401, 403). */
const UNAUTHORIZED = "unauthorized";
/** `details.reason` when the backend has forgotten the session. */
const SESSION_LOST = "session lost";
/** `details.more.fallback` when the address may speak HTTP+SSE instead. */
const HTTP_SSE = "http_sse";

/** Statuses that say by definition that the request was not carried out. */
const NOT_EXECUTED = [401, 403, 405, 406, 413, 415, 429];
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

/** The error for a status outside of 200–299. */
export function statusError({ backend, response, sample, inSession }: StatusFacts): SentinelError {
  const { status } = response;
  const refuse = (code: "BACKEND_LOST" | "BACKEND_PROTOCOL", what: string, reason: string) => {
    const executed = NOT_EXECUTED.includes(status) || reason === SESSION_LOST ? "no" : "unknown";
    const wait = retryAfterMs(response);
    return new SentinelError(
      code,
      `Cannot reach backend "${backend}": ${what} (status ${status})`,
      {
        backend,
        executed,
        more: { status },
        ...(reason === "" ? {} : { reason }),
        ...(wait === undefined ? {} : { retryAfterMs: wait }),
      },
    );
  };
  if (status < 400) return refuse("BACKEND_PROTOCOL", "it redirects", "redirect refused");
  if (status === 401 || status === 403) {
    return refuse("BACKEND_LOST", "it refused our credentials", UNAUTHORIZED);
  }
  if (status === 404 && inSession) {
    return refuse("BACKEND_LOST", "it no longer knows the session", SESSION_LOST);
  }
  if (UNAVAILABLE.includes(status)) return refuse("BACKEND_LOST", "it is not available", sample);
  return refuse("BACKEND_PROTOCOL", "it answered with an HTTP error", sample);
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
export function endsWire(error: SentinelError): boolean {
  const { reason, more } = error.details;
  return reason === SESSION_LOST || more?.["status"] === 401 || more?.["fallback"] === HTTP_SSE;
}

/** True when the same request may well succeed a little later. */
export function isTransient({ code, details }: SentinelError): boolean {
  return code === "BACKEND_LOST" && details.reason !== UNAUTHORIZED &&
    details.reason !== SESSION_LOST;
}

/** The same error for the other requests of the wire: what became of them is not known. */
export function forOthers(error: SentinelError): SentinelError {
  return new SentinelError(error.code, error.message, { ...error.details, executed: "unknown" });
}
