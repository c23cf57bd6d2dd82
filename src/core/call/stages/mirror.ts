/** `validate`: what headers repeat of a tool's arguments is what the body says (specification 2026-07-28). */
import { SentinelError } from "../../../contract/mod.ts";
import { definitionOf } from "../../catalog/entry.ts";
import type { Target } from "../../catalog/types.ts";
import { differingParameter } from "../../mcp/header_values.ts";
import { isObject } from "../../mcp/json.ts";
import { ModernCaller } from "../../session/modern_clients.ts";
import type { Call } from "../call.ts";

/** @throws SentinelError HEADER_MISMATCH */
export function mirror({ caller, given, target }: Call): undefined {
  if (!(caller instanceof ModernCaller) || caller.header === undefined) return;
  const { inputSchema } = definitionOf(target as Target);
  if (!isObject(inputSchema)) return;
  const header = differingParameter(inputSchema, given["arguments"], caller.header);
  if (header === undefined) return;
  throw new SentinelError(
    "HEADER_MISMATCH",
    `Cannot call the tool: "${header}" is missing or says something else than the arguments`,
    { executed: "no", more: { header } },
  );
}
