/**
 * Results on their way from one era to the other, JSON text to JSON text: what one era asks for and the other
 * does not know (protocol.md 4.5). A text is parsed only where something within it decides or changes.
 */
import { SentinelError } from "../../contract/mod.ts";
import { isRecord } from "../catalog/members.ts";
import type { CacheHints } from "../catalog/types.ts";
import { META } from "../mcp/envelope.ts";
import { type JsonObject, parse } from "../mcp/json.ts";

const TYPE = '"resultType"';
const OWN_META = '"_meta"';
const HINTS = ['"ttlMs"', '"cacheScope"'];
const OF_COMPLETE = [TYPE, OWN_META];
const OF_CACHED = [...OF_COMPLETE, ...HINTS];
/** A letter that needs no escape: a name may be written with one, which nobody does. */
const ESCAPED_LETTER = /\\u00[4-7]/;
/** As serialisers write it: an object follows at once. */
const STRUCTURED_VALUE = /"structuredContent"(?!:\{)/;
const STRUCTURED = '"structuredContent"';
const FIRST = '{"resultType":"complete"';
const LAST = ',"resultType":"complete"}';

/** What a result gets on its way to a modern client. */
export interface ModernMembers {
  /** JSON text of the members of `_meta` that say which server answers, as an object. */
  readonly meta: string;
  /** Of results that may be kept: reads of resources. */
  readonly cache?: CacheHints | undefined;
}

/**
 * A legacy backend's result for a modern client.
 * @throws SentinelError BACKEND_PROTOCOL when it is not an object
 */
export function toModernResult(result: string, members: ModernMembers): string {
  const { meta, cache } = members;
  const names = cache === undefined ? OF_COMPLETE : OF_CACHED;
  if (!isObjectText(result) || mayHave(result, names)) return withMembers(result, members);
  const hints = cache === undefined ? "" : `,"ttlMs":${cache.ttlMs},"cacheScope":"${cache.scope}"`;
  const own = result === "{}" ? "" : `,${result.slice(1, -1)}`;
  return `${FIRST}${own}${hints},"_meta":${meta}}`;
}

/** What of a tool's result a legacy client reads in another way. */
export interface LegacyReading {
  /** It is the result of a tool. */
  readonly isTool: boolean;
  /** Legacy clients were shown the output schema wrapped: so must the value be. */
  readonly isWrapped: boolean;
}

/**
 * A modern backend's result for a legacy client, of the latest revision of its era.
 * @throws SentinelError BACKEND_PROTOCOL when it is not an object
 */
export function toLegacyResult(result: string, { isTool, isWrapped }: LegacyReading): string {
  const changes = !isObjectText(result) ||
    isTool && result.includes(STRUCTURED) && (isWrapped || STRUCTURED_VALUE.test(result));
  const cut = changes ? undefined : withoutType(result);
  if (cut !== undefined) return cut;
  const { resultType: _, ttlMs: _ttl, cacheScope: _scope, ...kept } = parsed(result);
  return JSON.stringify(isTool ? withObjectContent(kept, isWrapped) : kept);
}

/** What is said of a resource that a modern client is not told by its own code any more. */
const RESOURCE_NOT_FOUND = -32002;
const INVALID_PARAMS = -32602;

/** The code of a backend's error, for modern clients. */
export function toModernCode(code: number): number {
  return code === RESOURCE_NOT_FOUND ? INVALID_PARAMS : code;
}

function isObjectText(text: string): boolean {
  return text.startsWith("{") && text.endsWith("}");
}

function withMembers(result: string, { meta, cache }: ModernMembers): string {
  const { resultType: _, _meta, ...own } = parsed(result);
  const server = JSON.parse(meta) as JsonObject;
  return JSON.stringify({
    resultType: "complete",
    ...own,
    ...(cache === undefined ? {} : { ttlMs: cache.ttlMs, cacheScope: cache.scope }),
    _meta: { ...(isRecord(_meta) ? _meta : {}), [META.server]: server[META.server] },
  });
}

/** False only when no member, at whatever depth, has one of the names. */
function mayHave(text: string, names: readonly string[]): boolean {
  if (names.some((name) => text.includes(name))) return true;
  return text.includes("\\u00") && ESCAPED_LETTER.test(text);
}

/**
 * The text without the member that says it is complete, where that is the first or last one; undefined when
 * something else may have to go. The long text is searched as it is: a cut one would be copied for it.
 */
function withoutType(result: string): string | undefined {
  if (mayHave(result, HINTS)) return undefined;
  const isFirst = result.startsWith(`${FIRST},`);
  const at = result.indexOf(TYPE, isFirst ? FIRST.length : 0);
  if (at === -1) return isFirst ? `{${result.slice(FIRST.length + 1)}` : result;
  const isLast = !isFirst && at === result.length - LAST.length + 1 && result.endsWith(LAST);
  return isLast ? `${result.slice(0, at - 1)}}` : undefined;
}

/** Legacy clients take objects only as structured content, and text for everything. */
function withObjectContent(result: JsonObject, isWrapped: boolean): JsonObject {
  const { structuredContent: value } = result;
  if (value === undefined || isRecord(value) && !isWrapped) return result;
  const wrapped = { ...result, structuredContent: { result: value } };
  if (isRecord(value)) return wrapped;
  const content: readonly unknown[] = Array.isArray(result["content"]) ? result["content"] : [];
  if (content.some((block) => isRecord(block) && block["type"] === "text")) return wrapped;
  return { ...wrapped, content: [...content, { type: "text", text: JSON.stringify(value) }] };
}

function parsed(result: string): JsonObject {
  const value = parse(result);
  if (isRecord(value)) return value;
  throw new SentinelError(
    "BACKEND_PROTOCOL",
    "Cannot translate the backend's answer: the result is not an object",
  );
}
