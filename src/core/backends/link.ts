import type { Era, RpcError, SentinelError } from "../../contract/mod.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { TraceHeaders } from "../tracing/trace_context.ts";

/** Answer of a backend: JSON text of `result` as it came, or its error. */
export type LinkReply =
  | {
    readonly result: string;
    /** A tool says that it failed. */
    readonly isError?: true;
    readonly type?: ResultType;
  }
  | { readonly error: RpcError };

/** What a modern backend says its result is, unless it is `complete`: it wants answers, or began a task. */
export type ResultType = "input_required" | "task";

/** Answer of a client to a server request (elicitation, sampling, roots); `result` is JSON text. */
export type AskReply = LinkReply;

/** A server request on its way to a client. */
export interface Ask {
  readonly method: string;
  readonly params: JsonObject;
  /** Aborted when the backend withdraws the question or the link is lost. */
  readonly signal: AbortSignal;
  /** Tells the backend how far the client is; `progressToken` is the backend's own. */
  readonly progress: (params: JsonObject) => void;
}

/** One request to a backend, with what may come back before its answer. */
export interface LinkRequest {
  readonly method: string;
  readonly params: JsonObject;
  /** Who asks; server requests on a wire without streams are attributed when all in flight have one owner. */
  readonly owner: string;
  /** Milliseconds without answer or progress until it fails with BACKEND_TIMEOUT. */
  readonly timeoutMs: number;
  /** How much of it was over before it was sent; the first answer or progress has to come in the rest. Default 0. */
  readonly spentMs?: number;
  /** Name of the catalog, for metrics. */
  readonly tool?: string;
  /** What a modern backend is told of the client; a legacy one was told in the handshake. */
  readonly client?: ClientFacts;
  /** Of the trace, in the place of what the parameters say of it; absent: they stay as they are. */
  readonly trace?: TraceHeaders;
  /** Progress (with the caller's own token) and log messages that belong to this request. */
  readonly notify?: (method: string, params: JsonObject) => void;
  /** Server requests that belong to this request. Absent: declined. */
  readonly ask?: (ask: Ask) => Promise<AskReply>;
}

/** What each request to a modern backend says of whom it is for; only what may be bridged. */
export interface ClientFacts {
  readonly capabilities: JsonObject;
  /** Least severe log message wanted; absent: none. */
  readonly logLevel?: string;
  /** Input schema of the tool that is called, for `Mcp-Param-*`. */
  readonly inputSchema?: JsonObject;
}

/** A request under way. */
export interface Exchange {
  /** @throws SentinelError BACKEND_LOST, BACKEND_TIMEOUT or BACKEND_PROTOCOL */
  readonly reply: Promise<LinkReply>;
  /** How long it took, in milliseconds; 0 until `reply` is settled. */
  readonly tookMs: number;
  /** Tells the backend to cancel and rejects `reply`; a late answer is dropped and counted. */
  cancel(reason: string): void;
}

/** Messages of a link that belong to no request. */
export interface LinkEvents {
  notification(method: string, params: JsonObject): void;
  /** A server request nobody can be asked for; undefined: decline. */
  ask?(ask: Ask): Promise<AskReply>;
  closed(error: SentinelError): void;
}

/** One connection to a backend whose era is known, with the handshake done where there is one. */
export interface Link {
  readonly era: Era;
  readonly revision: string;
  readonly capabilities: JsonObject;
  readonly instructions: string | undefined;
  /** What the server calls itself. */
  readonly serverName?: string | undefined;
  readonly inFlight: number;
  /** Messages that came over it: one more shows that the backend is there. */
  readonly received: number;
  readonly open: boolean;
  request(request: LinkRequest): Exchange;
  notify(method: string, params?: JsonObject): void;
  /**
   * Has updates of exactly these resources sent from now on. The result is what the backend agreed to: an
   * object whose `resourceSubscriptions` are the URIs. Modern links only; elsewhere it is a request.
   * @throws SentinelError as a request does
   */
  watch?(uris: readonly string[]): Promise<LinkReply>;
  close(): Promise<void>;
}
