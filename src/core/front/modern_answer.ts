/** Answers in the words of the modern era. */
import { ERRORS, type RpcError, type SentinelError, toRpcError } from "../../contract/mod.ts";
import type { RoundAnswer } from "../bridge/round.ts";
import type { Call, Outcome } from "../call/call.ts";
import { encodeError, encodeResult } from "../mcp/codec.ts";

/** The answer to a request with this id (JSON text); undefined when nobody waits for one. */
export function answerTo(id: string, call: Call, outcome: Outcome): RoundAnswer | undefined {
  switch (outcome.kind) {
    case "result":
      return { text: encodeResult(id, outcome.result), status: 200 };
    case "remote":
      return {
        text: encodeError(id, renumbered(outcome.error)),
        status: remoteStatus(outcome.error),
      };
    case "refused":
      return {
        text: encodeError(
          id,
          renumbered(toRpcError(outcome.error, call.request, call.trace?.id)),
        ),
        status: outcome.error.code === "METHOD_NOT_FOUND" ? 404 : outcome.error.http,
        ...retry(outcome.error),
      };
    case "accepted":
      return undefined;
  }
}

function retry({ details: { retryAfterMs } }: SentinelError) {
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}

/** The era has one code for everything that is not there. */
function renumbered(error: RpcError): RpcError {
  if (error.code !== ERRORS.RESOURCE_NOT_FOUND.code) return error;
  return { ...error, code: ERRORS.INVALID_PARAMS.code };
}

/** The one error of a backend that has a status (specification 2026-07-28, transports). */
function remoteStatus({ code }: RpcError): number {
  return code === ERRORS.CAPABILITY_MISSING.code ? ERRORS.CAPABILITY_MISSING.http : 200;
}
