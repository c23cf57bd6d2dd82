/** The built-in interceptor `redact`: secrets the gateway knows do not reach a client. */
import { isObject, type JsonObject } from "../mcp/json.ts";
import type { Interceptor } from "./interceptor.ts";
import { rawNumber } from "./raw_json.ts";

/** Writers may spell characters in more ways than one: such a text is looked at as it reads. */
const ESCAPED = /\\[u/]/;

/** `mask` replaces every known secret in a text, and gives back the same text when there is none. */
export function createRedact(mask: (text: string) => string): Interceptor {
  const masked = (value: JsonObject): JsonObject | undefined => {
    const seen = maskedValue(value, mask) as JsonObject;
    return seen === value ? undefined : seen;
  };
  return {
    name: "redact",
    // Most texts have no escape at all, which is seen at once.
    skipsResult: (text) => mask(text) === text && !(text.includes("\\") && ESCAPED.test(text)),
    result: (request) => {
      const result = masked(request.result);
      return result && { result };
    },
    ask: ({ params }) => {
      const seen = masked(params);
      return seen && { params: seen };
    },
  };
}

/** The same value when nothing in it is secret. */
function maskedValue(value: unknown, mask: (text: string) => string): unknown {
  if (typeof value === "string") return mask(value);
  const number = typeof value === "number" ? String(value) : rawNumber(value);
  if (number !== undefined) return mask(number) === number ? value : mask(number);
  if (Array.isArray(value)) {
    const seen = value.map((item) => maskedValue(item, mask));
    return seen.some((item, index) => item !== value[index]) ? seen : value;
  }
  if (!isObject(value)) return value;
  let changed = false;
  const entries = Object.entries(value).map(([name, member]) => {
    const seen = [mask(name), maskedValue(member, mask)] as const;
    changed ||= seen[0] !== name || seen[1] !== member;
    return seen;
  });
  return changed ? Object.fromEntries(entries) : value;
}
