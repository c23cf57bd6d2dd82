/** What a status snapshot consists of: plain JSON, no callbacks. */

/** States of the whole gateway. */
export const RUNTIME_STATES = [
  "starting",
  "ready",
  "degraded",
  "failed",
  "stopping",
  "stopped",
] as const;
export type RuntimeState = (typeof RUNTIME_STATES)[number];

/** States of one backend. `ready` always means: the handshake was answered. */
export const BACKEND_STATES = {
  starting: "first handshake under way",
  ready: "handshake answered, catalog read",
  degraded: "connected, but part of its catalog could not be read",
  backoff: "failed; the next try is scheduled",
  fatal: "failed too often in a row; waits for an operator or a changed configuration",
  needs_login: "refused our credentials",
  disabled: "configured with enabled = false",
  stopping: "being stopped",
  stopped: "stopped",
} as const;
export type BackendState = keyof typeof BACKEND_STATES;

export type BackendKind = "http" | "http_sse" | "stdio";

/** Counters of things a backend sent that belong to nobody. */
export interface DroppedMessages {
  /** Replies whose id we never used. */
  foreign: number;
  /** Second replies to the same id. */
  duplicate: number;
  /** Replies after timeout or cancellation. */
  late: number;
  /** Lines or events that are not JSON-RPC. */
  invalid: number;
  /** Server requests and log messages that could belong to more than one session. */
  unattributed: number;
}

export interface BackendStatus {
  readonly name: string;
  readonly alias: string;
  readonly kind: BackendKind;
  readonly state: BackendState;
  /** ISO 8601: since when in this state. */
  readonly since: string;
  /** Negotiated protocol revision of the last good handshake. */
  readonly revision?: string;
  readonly lastError?: string;
  /** Exit of the last child, for stdio backends. */
  readonly exitCode?: number;
  readonly signal?: string;
  /** Last stderr lines, oldest first, control characters escaped. */
  readonly stderr: readonly string[];
  /** ISO 8601: when the next connection attempt is due. */
  readonly nextRetry?: string;
  readonly restarts: number;
  readonly pid?: number;
  readonly tools: number;
  readonly prompts: number;
  readonly resources: number;
  readonly templates: number;
  readonly inFlight: number;
  readonly links: number;
  readonly dropped: DroppedMessages;
}

export interface Snapshot {
  readonly name: string;
  readonly version: string;
  readonly state: RuntimeState;
  /** Grows with every visible change. */
  readonly revision: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly backends: readonly BackendStatus[];
  readonly sessions: number;
  readonly catalog: {
    readonly revision: number;
    readonly tools: number;
    readonly prompts: number;
    readonly resources: number;
    readonly templates: number;
    /** Items that were refused, with the reason. */
    readonly refused: readonly RefusedItem[];
  };
}

export interface RefusedItem {
  readonly backend: string;
  readonly kind: "tool" | "prompt" | "resource" | "template";
  readonly name: string;
  readonly reason: string;
}
