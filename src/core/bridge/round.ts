import type { JsonObject } from "../mcp/json.ts";
import type { Call, Outcome } from "../call/call.ts";

/** An answer as it leaves. */
export interface RoundAnswer {
  /** JSON text of the message. */
  readonly text: string;
  /** HTTP status it has where nothing was sent before it. */
  readonly status: number;
  readonly retryAfterMs?: number;
}

/**
 * One request of a modern client and its way back: an HTTP exchange, or an id on a pipe. A call takes several
 * of them when a backend asks questions on the way.
 */
export interface Round {
  /** JSON text of the request's id. */
  readonly id: string;
  /** A message that belongs to the call; dropped once it is finished. */
  notify(method: string, params: JsonObject): void;
  /** The call takes long. */
  beat(): void;
  /**
   * The one thing to do when the client goes away or cancels before this round is finished; replaces what was
   * to be done before. Done at once when it is gone already.
   */
  onGone(run: (reason: string) => void): void;
  /** The answer to this request, in place of `finish`, when the call is another replica's. */
  close(answer: RoundAnswer | undefined): void;
  /** The answer to this request, exactly once. */
  finish(call: Call, outcome: Outcome): void;
}
