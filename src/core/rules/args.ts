/** Arguments of a request, wherever its method keeps them. */
import { argumentsOf } from "../call/arguments.ts";
import type { Call } from "../call/call.ts";
import type { Target } from "../catalog/types.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";

/** Member of the parameters that holds them. */
const MEMBERS: Readonly<Record<string, string>> = {
  "tools/call": "arguments",
  "prompts/get": "arguments",
  "completion/complete": "argument",
};

const NONE: JsonObject = {};

/** What the backend will see, configured defaults included; empty for methods without arguments. */
export function argsOf({ method, params, target }: Call): JsonObject {
  const member = MEMBERS[method];
  if (member === undefined) return NONE;
  const args = method === "tools/call" ? argumentsOf(params, target as Target) : params[member];
  return isObject(args) ? args : NONE;
}

/** The parameters with other arguments. @throws TypeError for a method that has none */
export function withArgs(params: JsonObject, method: string, args: JsonObject): JsonObject {
  const member = MEMBERS[method];
  if (member === undefined) throw new TypeError(`"${method}" has no arguments to change`);
  return { ...params, [member]: args };
}
