/** What a client is told when its call needs an answer that there is none of. */
import { SentinelError } from "../../contract/mod.ts";
import type { LinkReply } from "../backends/link.ts";
import type { Call } from "../call/call.ts";
import type { Target } from "../catalog/types.ts";
import { ownResult } from "./fields_own.ts";

/**
 * Tools say it as a result, because a model sees that.
 * @throws SentinelError CLIENT_UNREACHABLE for everything else
 */
export function unanswered(call: Call, reason: string): LinkReply {
  const { backend } = call.target as Target;
  const message = `Cannot finish the call: backend "${backend}" asks the client, and ${reason}`;
  if (call.method !== "tools/call") {
    throw new SentinelError("CLIENT_UNREACHABLE", message, {
      backend,
      reason,
      executed: "unknown",
    });
  }
  const result = { content: [{ type: "text", text: message }], isError: true };
  return { result: ownResult(call, result), isError: true };
}
