import type { Target } from "../catalog/types.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";

/** What a tool is called with: the caller's arguments over the configured defaults. */
export function argumentsOf(params: JsonObject, { defaults }: Target): unknown {
  const given = params["arguments"];
  if (defaults === undefined) return given;
  return { ...defaults, ...(isObject(given) ? given : {}) };
}
