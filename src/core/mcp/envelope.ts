/** What every request of the modern era says of itself in `params._meta` (specification 2026-07-28, basic). */
import { SentinelError } from "../../contract/mod.ts";
import { isObject, type JsonObject } from "./json.ts";

export const LATEST_MODERN = "2026-07-28";
/** Revisions of the modern era that we speak, oldest first. */
export const MODERN_REVISIONS: readonly string[] = [LATEST_MODERN];

const REVISION = /^\d{4}-\d{2}-\d{2}$/;
/** Longest name and version of a client that operators are shown. */
const MAX_NAME = 100;
/** Longest revision that is told back. */
const MAX_REVISION = 100;

/** The request that lasts: a stream of changes. */
export const LISTEN = "subscriptions/listen";

/** Members of `_meta` that belong to one hop, not to the call. */
export const META = {
  revision: "io.modelcontextprotocol/protocolVersion",
  capabilities: "io.modelcontextprotocol/clientCapabilities",
  client: "io.modelcontextprotocol/clientInfo",
  logLevel: "io.modelcontextprotocol/logLevel",
  server: "io.modelcontextprotocol/serverInfo",
  subscription: "io.modelcontextprotocol/subscriptionId",
} as const;

/** The envelope of one request, checked. */
export interface Envelope {
  readonly revision: string;
  readonly capabilities: JsonObject;
  /** Name and version the client gives itself, within bounds; for operators. */
  readonly client: string | undefined;
  /** Least severe log message wanted; undefined: none. */
  readonly logLevel: string | undefined;
}

/** True for a revision without handshake, also for one that is newer than ours. */
export function isModern(revision: string | undefined): boolean {
  return revision !== undefined && revision >= LATEST_MODERN && REVISION.test(revision);
}

/** True when a message says itself which revision it is of: only those of the modern era do. */
export function hasEnvelope(params: JsonObject | undefined): boolean {
  const meta = params?.["_meta"];
  return isObject(meta) && Object.hasOwn(meta, META.revision);
}

/**
 * The revision a message says it is of, if it says so.
 * @throws SentinelError INVALID_PARAMS with status 400 when that is no text
 */
export function claimedRevision(params: JsonObject | undefined): string | undefined {
  const meta = params?.["_meta"];
  if (!isObject(meta) || !Object.hasOwn(meta, META.revision)) return undefined;
  return revisionIn(meta);
}

/**
 * What a request says of itself.
 * @throws SentinelError INVALID_PARAMS with status 400 when it lacks what every request has to say
 */
export function readEnvelope(params: JsonObject | undefined): Envelope {
  const meta = params?.["_meta"];
  if (!isObject(meta)) throw malformed('"_meta" is missing');
  const revision = revisionIn(meta);
  const capabilities = meta[META.capabilities];
  if (!isObject(capabilities)) throw malformed(`"${META.capabilities}" is not an object`);
  return {
    revision,
    capabilities,
    client: clientName(meta[META.client]),
    logLevel: logLevelOf(meta[META.logLevel]),
  };
}

/** @throws SentinelError REVISION_UNSUPPORTED */
export function checkRevision({ revision }: Envelope): void {
  if (MODERN_REVISIONS.includes(revision)) return;
  const requested = revision.slice(0, MAX_REVISION);
  throw new SentinelError(
    "REVISION_UNSUPPORTED",
    `Cannot serve the request: revision "${requested}" is not spoken here`,
    { more: { supported: MODERN_REVISIONS, requested } },
  );
}

/** For operators; whatever the client says about itself, within bounds. */
export function clientName(info: unknown): string | undefined {
  if (!isObject(info) || typeof info["name"] !== "string") return undefined;
  const { name, version } = info;
  return (typeof version === "string" ? `${name} ${version}` : name).slice(0, MAX_NAME);
}

function revisionIn(meta: JsonObject): string {
  const revision = meta[META.revision];
  if (typeof revision === "string") return revision;
  throw malformed(`"${META.revision}" is not a string`);
}

function logLevelOf(level: unknown): string | undefined {
  if (level === undefined || typeof level === "string") return level;
  throw malformed(`"${META.logLevel}" is not a string`);
}

function malformed(reason: string): SentinelError {
  const message = `Cannot read the envelope of the request: ${reason}`;
  return new SentinelError("INVALID_PARAMS", message, { http: 400, reason });
}
