/** What a listen wants to be told of (specification 2026-07-28, subscriptions). */
import { SentinelError } from "../../contract/mod.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";
import { LIST_KINDS, type ListKind } from "../session/list_changes.ts";

/** Resources that one listen may name. */
const MAX_URIS = 1000;
const MAX_URI_LENGTH = 2000;

export interface ListenFilter {
  readonly lists: readonly ListKind[];
  /** Each once; undefined when resources were not mentioned. */
  readonly uris: readonly string[] | undefined;
}

/** @throws SentinelError INVALID_PARAMS */
export function readFilter(params: JsonObject | undefined): ListenFilter {
  const wanted = params?.["notifications"];
  if (!isObject(wanted)) throw unusable('"notifications" is not an object');
  return {
    lists: LIST_KINDS.filter((kind) => readFlag(wanted, memberOf(kind))),
    uris: readUris(wanted["resourceSubscriptions"]),
  };
}

/** The same on the wire: what is honoured of it. */
export function writeFilter({ lists, uris }: ListenFilter): JsonObject {
  const wanted: JsonObject = {};
  for (const kind of lists) wanted[memberOf(kind)] = true;
  if (uris !== undefined) wanted["resourceSubscriptions"] = uris;
  return wanted;
}

function memberOf(kind: ListKind): string {
  return `${kind}ListChanged`;
}

function readFlag(wanted: JsonObject, name: string): boolean {
  const flag = wanted[name];
  if (flag === undefined || typeof flag === "boolean") return flag === true;
  throw unusable(`"${name}" is neither true nor false`);
}

function readUris(uris: unknown): readonly string[] | undefined {
  if (uris === undefined) return undefined;
  if (!Array.isArray(uris) || uris.length > MAX_URIS || !uris.every(isUsable)) {
    throw unusable(
      `"resourceSubscriptions" is not a list of at most ${MAX_URIS} strings, each at most ` +
        `${MAX_URI_LENGTH} characters long`,
    );
  }
  return [...new Set(uris)];
}

function isUsable(uri: unknown): uri is string {
  return typeof uri === "string" && uri.length <= MAX_URI_LENGTH;
}

function unusable(why: string): SentinelError {
  return new SentinelError("INVALID_PARAMS", `Cannot listen: ${why}`);
}
