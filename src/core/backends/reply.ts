import { type RpcError, SentinelError } from "../../contract/mod.ts";
import { isObject, type JsonObject, parse } from "../mcp/json.ts";
import type { LinkReply } from "./link.ts";

/**
 * The result object of a reply that the gateway itself reads.
 * @throws SentinelError BACKEND_PROTOCOL for an error answer or a result that is not an object
 */
export function toResult(reply: LinkReply): JsonObject {
  if ("error" in reply) throw refused(reply.error);
  const result: unknown = parse(reply.result);
  if (isObject(result)) return result;
  throw new SentinelError(
    "BACKEND_PROTOCOL",
    "Cannot read the backend's answer: the result is not an object",
  );
}

function refused({ code, message }: RpcError): SentinelError {
  return new SentinelError(
    "BACKEND_PROTOCOL",
    "Cannot use the backend: it answered with an error",
    {
      reason: `${code} ${message.slice(0, 200)}`,
      more: { rpc: code },
    },
  );
}
