/** What differs between the eras on a connection to a backend: greeting, parameters, headers, cancelling. */
import { type Era, SentinelError } from "../../contract/mod.ts";
import { LATEST_MODERN, META, MODERN_REVISIONS } from "../mcp/envelope.ts";
import { encodeHeaderValue, mirroredParameters, NAMED_BY } from "../mcp/header_values.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";
import { isLegacyRevision, LATEST_LEGACY } from "../mcp/revisions.ts";
import type { LinkRequest, ResultType } from "./link.ts";
import { printable } from "./printable.ts";
import { resultType } from "./result_type.ts";
import type { MessageHeaders } from "./wire.ts";

export const DISCOVER = "server/discover";

const MAX_SERVER_NAME = 128;

/** What a backend says of itself before anything else. */
export interface Greeting {
  readonly revision: string;
  readonly capabilities: JsonObject;
  readonly instructions: string | undefined;
  /** What the server calls itself, safe to show. */
  readonly serverName: string | undefined;
}

export interface Dialect {
  readonly era: Era;
  /** The first request. */
  readonly hello: { readonly method: string; readonly params: JsonObject };
  /** Sent once the first request is answered. */
  readonly confirmation: string | undefined;
  /** The backend asks, and is told what happens outside of requests. */
  readonly twoWay: boolean;
  /** A cancelled request is told to the backend by a message; else the end of its exchange says it. */
  readonly tellsCancel: boolean;
  /**
   * Reads the answer to the first request.
   * @throws SentinelError BACKEND_PROTOCOL when it is none of this era
   */
  greeting(result: JsonObject): Greeting;
  /** Parameters of a request as they are sent. */
  params(request: LinkRequest): JsonObject;
  /** What HTTP says of a request beside its text; undefined: nothing. */
  headers(request: LinkRequest): MessageHeaders | undefined;
  /**
   * What an answer says it is, unless it is complete.
   * @throws SentinelError BACKEND_PROTOCOL when there is no such type
   */
  resultType(method: string, text: string): ResultType | undefined;
}

/** Revisions up to 2025-11-25; `capabilities` are declared in the handshake, once for all requests. */
export function legacyDialect(version: string, capabilities: JsonObject): Dialect {
  return {
    era: "legacy",
    hello: {
      method: "initialize",
      params: { protocolVersion: LATEST_LEGACY, capabilities, clientInfo: clientInfo(version) },
    },
    confirmation: "notifications/initialized",
    twoWay: true,
    tellsCancel: true,
    greeting: legacyGreeting,
    params: ({ params }) => params,
    headers: () => undefined,
    resultType: () => undefined,
  };
}

/** Revisions since 2026-07-28: each request says everything itself, over HTTP also in headers. */
export function modernDialect(version: string, overHttp: boolean): Dialect {
  const client = clientInfo(version);
  return {
    era: "modern",
    hello: { method: DISCOVER, params: {} },
    confirmation: undefined,
    twoWay: false,
    tellsCancel: !overHttp,
    greeting: modernGreeting,
    params: ({ params, client: facts }) => {
      const meta = isObject(params["_meta"]) ? params["_meta"] : {};
      return {
        ...params,
        _meta: {
          ...meta,
          [META.revision]: LATEST_MODERN,
          [META.capabilities]: facts?.capabilities ?? {},
          [META.client]: client,
          // Undefined is left out of the text.
          [META.logLevel]: facts?.logLevel,
        },
      };
    },
    headers: overHttp ? headersOf : () => undefined,
    resultType,
  };
}

function clientInfo(version: string): JsonObject {
  return { name: "mcp-sentinel", title: "MCP Sentinel", version };
}

function headersOf({ method, params, client }: LinkRequest): MessageHeaders {
  const headers: Record<string, string> = { "mcp-method": method };
  const name = params[NAMED_BY.get(method) ?? ""];
  if (typeof name === "string") headers["mcp-name"] = encodeHeaderValue(name);
  if (method !== "tools/call") return headers;
  for (const [header, text] of mirroredParameters(client?.inputSchema, params["arguments"])) {
    headers[header.toLowerCase()] = encodeHeaderValue(text);
  }
  return headers;
}

function legacyGreeting(result: JsonObject): Greeting {
  const { protocolVersion, serverInfo } = result;
  if (typeof protocolVersion === "string" && isLegacyRevision(protocolVersion)) {
    return { revision: protocolVersion, ...said(result, serverInfo) };
  }
  throw new SentinelError(
    "BACKEND_PROTOCOL",
    "Cannot use the backend: it speaks no revision we know",
    { reason: `protocolVersion ${JSON.stringify(protocolVersion)?.slice(0, 40)}` },
  );
}

function modernGreeting(result: JsonObject): Greeting {
  const { supportedVersions, capabilities, _meta } = result;
  const theirs: readonly unknown[] = Array.isArray(supportedVersions) ? supportedVersions : [];
  const revision = MODERN_REVISIONS.findLast((ours) => theirs.includes(ours));
  if (revision !== undefined && isObject(capabilities)) {
    return { revision, ...said(result, isObject(_meta) ? _meta[META.server] : undefined) };
  }
  throw new SentinelError(
    "BACKEND_PROTOCOL",
    `Cannot use the backend: it does not say that it speaks ${LATEST_MODERN}`,
    { reason: `supportedVersions ${JSON.stringify(supportedVersions)?.slice(0, 80)}` },
  );
}

function said(
  { capabilities, instructions }: JsonObject,
  server: unknown,
): Omit<Greeting, "revision"> {
  const name = isObject(server) ? server["name"] : undefined;
  return {
    capabilities: isObject(capabilities) ? capabilities : {},
    instructions: typeof instructions === "string" ? instructions : undefined,
    serverName: typeof name === "string" ? printable(name, MAX_SERVER_NAME) : undefined,
  };
}
