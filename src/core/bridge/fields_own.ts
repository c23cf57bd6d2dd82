import type { Call } from "../call/call.ts";
import type { JsonObject } from "../mcp/json.ts";
import { toModernResult } from "./fields.ts";

/** JSON text of a result that the gateway itself makes, for a caller of either era. */
export function ownResult(
  { caller, view }: Pick<Call, "caller" | "view">,
  result: JsonObject,
): string {
  const text = JSON.stringify(result);
  return caller.era === "legacy" ? text : toModernResult(text, { meta: view.meta });
}
