import { isObject } from "../mcp/json.ts";

/** A member of this name stands somewhere; within a text its quotes would be escaped. */
const MEMBER = /"isError"\s*:\s*true/;

/** Whether a tool's result says that it failed. The whole is parsed only when that is likely. */
export function isToolError(result: string): boolean {
  if (!MEMBER.test(result)) return false;
  const parsed: unknown = JSON.parse(result);
  return isObject(parsed) && parsed["isError"] === true;
}
