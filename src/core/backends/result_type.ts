import { SentinelError } from "../../contract/mod.ts";
import { isObject } from "../mcp/json.ts";
import type { ResultType } from "./link.ts";

/** A member of that name, at whatever depth, that does not say `complete`. */
const PERHAPS_OTHER = /"resultType"\s*:\s*(?!\s|"complete")/;
/** Requests whose answer may ask for more (specification 2026-07-28, multi round-trip requests). */
const MAY_ASK: ReadonlySet<string> = new Set(["tools/call", "prompts/get", "resources/read"]);

/**
 * What a modern backend says its result is; undefined: complete. Mostly the text need not be parsed.
 * @throws SentinelError BACKEND_PROTOCOL for a type that there is not, or not for this method
 */
export function resultType(method: string, text: string): ResultType | undefined {
  if (!PERHAPS_OTHER.test(text)) return undefined;
  const result: unknown = JSON.parse(text);
  const type = isObject(result) ? result["resultType"] : undefined;
  if (type === undefined || type === "complete") return undefined;
  if (type === "input_required" && MAY_ASK.has(method)) return type;
  if (type === "task" && method === "tools/call") return type;
  throw new SentinelError(
    "BACKEND_PROTOCOL",
    `Cannot use the answer to "${method}": its result type is not known`,
    { executed: "unknown", reason: `resultType ${JSON.stringify(type).slice(0, 40)}` },
  );
}
