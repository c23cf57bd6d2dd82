/** HTTP answers of the fronts. */
import {
  asSentinelError,
  ERRORS,
  type RequestId,
  type SentinelError,
  toRpcError,
} from "../../contract/mod.ts";
import { encodeError, encodeResult } from "../mcp/codec.ts";
import type { Call, Outcome } from "../call/call.ts";
import type { HttpOutgoing } from "./http_message.ts";

const JSON_HEADERS = { "content-type": "application/json" } as const;
const STREAM_HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
} as const;

const NO_HEADERS = {} as const;

export function jsonResponse(
  text: string,
  status = 200,
  headers?: Readonly<Record<string, string>>,
): HttpOutgoing {
  return {
    status,
    headers: headers === undefined ? JSON_HEADERS : { ...JSON_HEADERS, ...headers },
    body: text,
  };
}

export function streamResponse(body: ReadableStream<Uint8Array>): HttpOutgoing {
  return { status: 200, headers: STREAM_HEADERS, body };
}

/** A status without a body. */
export function emptyResponse(status: number): HttpOutgoing {
  return { status, headers: NO_HEADERS, body: undefined };
}

export function methodNotAllowed(allow: string): HttpOutgoing {
  return { status: 405, headers: { allow }, body: undefined };
}

export function notFound(): HttpOutgoing {
  return { status: 404, headers: { "content-type": "text/plain" }, body: "Not found" };
}

const ENDS_CONNECTION: ReadonlySet<number> = new Set([ERRORS.TOO_LARGE.http, ERRORS.SLOW.http]);

/** A refusal before any message was answered: HTTP status and JSON-RPC body without id. */
export function refusal(
  error: SentinelError,
  request: RequestId,
  id?: string,
  traceId?: string,
): HttpOutgoing {
  const headers: Record<string, string> = { ...retryAfter(error) };
  // The rest of a body that was too large or too slow is not read: the connection cannot be used again.
  if (ENDS_CONNECTION.has(error.http)) headers["connection"] = "close";
  return jsonResponse(encodeError(id, toRpcError(error, request, traceId)), error.http, headers);
}

/** The header that says when it is worth trying again, if that is known. */
function retryAfter({ details }: SentinelError): Readonly<Record<string, string>> {
  const { retryAfterMs } = details;
  return retryAfterMs === undefined ? NO_HEADERS : retryAfterHeader(retryAfterMs);
}

export function retryAfterHeader(retryAfterMs: number): Readonly<Record<string, string>> {
  return { "retry-after": String(Math.ceil(retryAfterMs / 1000)) };
}

/** JSON text of a refusal, for fronts without status codes. */
export function refusedText(cause: unknown, request: RequestId, id?: string): string {
  return encodeError(id, toRpcError(asSentinelError(cause), request));
}

/** JSON text of the answer to a call; undefined when nobody waits for one. */
export function answerText(call: Call, outcome: Outcome): string | undefined {
  switch (outcome.kind) {
    case "result":
      return encodeResult(call.id, outcome.result);
    case "remote":
      return encodeError(call.id, outcome.error);
    case "refused":
      return encodeError(call.id, toRpcError(outcome.error, call.request, call.trace?.id));
    case "accepted":
      return undefined;
  }
}
