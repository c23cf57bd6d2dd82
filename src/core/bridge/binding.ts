/** What a state of a call that waits belongs to: with anything else it is worth nothing. */
import { SentinelError } from "../../contract/mod.ts";
import { canonicalJson } from "../catalog/definition_hash.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { Caller } from "../session/caller.ts";

export interface Asking {
  readonly method: string;
  /** As the client sent them. */
  readonly params: JsonObject;
}

/** Equal for two requests of the same caller for the same, whatever the order of members. */
export function bindingOf(
  { principal, toolset }: Pick<Caller, "principal" | "toolset">,
  { method, params }: Asking,
): string {
  const { _meta, inputResponses: _responses, requestState: _state, ...asked } = params;
  return JSON.stringify([principal.id, toolset ?? null, method, canonicalJson(asked)]);
}

/** One answer for whatever is wrong with a state: nobody learns from it whose it was. */
export function cannotContinue(): SentinelError {
  return new SentinelError(
    "INVALID_PARAMS",
    'Cannot continue the call: its "requestState" is unknown, used, expired or of another call: start again',
    { executed: "no" },
  );
}
