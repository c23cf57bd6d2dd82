/** Who makes a call: a legacy session, or one modern request, which says everything itself. */
import type { Era } from "../../contract/mod.ts";
import type { Principal } from "../auth/principal.ts";
import type { JsonObject } from "../mcp/json.ts";

export type FrontName = "streamable_http" | "http_sse" | "websocket" | "stdio";

/** What is known of a call in flight from outside. */
export interface InFlight {
  cancel(reason: string): void;
  /** The call takes long: the front may open a stream, so that the connection is not taken for dead. */
  beat(): void;
}

/** What one client has under way; modern requests of one principal share it. */
export interface Load {
  /** Calls being answered. */
  inFlight: number;
  /** Calls that hold a slot (`limits.per_session`). */
  slots: number;
  /** Calls so far. */
  total: number;
}

export interface Caller {
  readonly era: Era;
  /** Tells callers apart who share a connection to a backend. */
  readonly id: string;
  /** What operators see of the session; undefined for a request outside of sessions. */
  readonly ref: string | undefined;
  readonly front: FrontName;
  readonly toolset: string | undefined;
  readonly principal: Principal;
  readonly revision: string;
  /** As the client declared them. */
  readonly capabilities: JsonObject;
  /** Name and version the client gave. */
  readonly client: string | undefined;
  /** Where the request came from. */
  readonly address: string | undefined;
  /** Where URIs came from that stood in results but in no list. */
  readonly producers: Map<string, string>;
  /** Calls in flight by the JSON text of their id; undefined where a connection ends its one call. */
  readonly calls: Map<string, InFlight> | undefined;
  readonly load: Load;
  /** True when the client declared the capability that a server request needs. */
  canAnswer(method: string): boolean;
  /** True when the client wants this log message. */
  wantsLog(params: JsonObject): boolean;
}

/** A client that has nothing under way. */
export function noLoad(): Load {
  return { inFlight: 0, slots: 0, total: 0 };
}
