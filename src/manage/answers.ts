/** HTTP answers of the management API. */
import { type ErrorName, ERRORS, SentinelError } from "../contract/mod.ts";
import type { ErrorBody } from "../contract/manage/mod.ts";
import { type Readiness, READINESS_RETRY_MS } from "../contract/readiness.ts";
import type { HttpOutgoing } from "../core/mod.ts";

const COMMON = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const;

/** Status of a refusal that has none of its own, because elsewhere it is answered in band. */
const IN_BAND = 400;

/** Remedies of the table that speak of the data plane, as they are here. */
const REMEDIES: Partial<Record<ErrorName, string>> = {
  PARSE: "Send one JSON object as UTF-8 without a byte order mark.",
  INVALID_PARAMS: "Correct what `error.message` names; `GET /manage/v1/openapi.json` has the form.",
  BAD_HTTP: "Correct what `error.message` names.",
  TOO_LARGE: "Send at most 64 kB.",
  ORIGIN_OR_HOST_REFUSED:
    "Use a program, not a page, and the address or name the management listener has.",
};

export function jsonAnswer(value: unknown): HttpOutgoing {
  return {
    status: 200,
    headers: { ...COMMON, "content-type": "application/json" },
    body: JSON.stringify(value),
  };
}

export function readinessAnswer(given: Readiness): HttpOutgoing {
  const answer = jsonAnswer(given);
  if (given.status === "ready") return answer;
  const headers = { ...answer.headers, "retry-after": String(READINESS_RETRY_MS / 1000) };
  return { ...answer, status: 503, headers };
}

export function textAnswer(contentType: string, text: string): HttpOutgoing {
  return { status: 200, headers: { ...COMMON, "content-type": contentType }, body: text };
}

export function streamAnswer(body: ReadableStream<Uint8Array>): HttpOutgoing {
  const headers = {
    ...COMMON,
    "cache-control": "no-store, no-transform",
    "content-type": "text/event-stream",
    "x-accel-buffering": "no",
  };
  return { status: 200, headers, body };
}

/** An error of the table; `request` is the UUIDv7 of the request. */
export function errorAnswer(
  error: SentinelError,
  request: string,
  headers: Readonly<Record<string, string>> = {},
): HttpOutgoing {
  const { reason, retryAfterMs, more } = error.details;
  const body: ErrorBody = {
    code: error.code,
    message: error.message,
    request,
    remedy: REMEDIES[error.code] ?? ERRORS[error.code].remedy.replaceAll("`data.", "`error."),
    ...(reason === undefined ? {} : { reason }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...more,
  };
  return {
    ...jsonAnswer({ error: body }),
    status: error.http === 200 ? IN_BAND : error.http,
    headers: {
      ...COMMON,
      "content-type": "application/json",
      ...headersOf(error),
      ...headers,
    },
  };
}

function headersOf({ code, details }: SentinelError): Record<string, string> {
  const headers: Record<string, string> = {};
  if (code === "UNAUTHENTICATED") headers["www-authenticate"] = "Bearer";
  if (details.retryAfterMs !== undefined) {
    headers["retry-after"] = String(Math.ceil(details.retryAfterMs / 1000));
  }
  // The rest of a body that was too large or too slow is not read: the connection cannot be used again.
  if (code === "TOO_LARGE" || code === "SLOW") headers["connection"] = "close";
  return headers;
}
