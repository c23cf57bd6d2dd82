/** What every request of the modern era says of itself in `params._meta` (specification 2026-07-28, basic). */
import type { JsonObject } from "./json.ts";

export const LATEST_MODERN = "2026-07-28";
/** Revisions of the modern era that we speak, oldest first. */
export const MODERN_REVISIONS: readonly string[] = [LATEST_MODERN];

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
