import type { SentinelError } from "../../contract/mod.ts";
import type { Message } from "../mcp/message.ts";

/**
 * One transport to a backend. A wire moves messages; ids, timeouts, attribution and the handshake are the
 * Link's, which is the same for all wires.
 */
export interface Wire {
  /**
   * Sends one message. `request` is our id when it is a request whose answer is expected; `headers` are of
   * this message alone. Failures are reported through `WireEvents`, never thrown.
   */
  send(text: string, request?: number, headers?: MessageHeaders): void;
  /** The handshake is done: HTTP sends the revision in its headers from now on and opens its GET stream. */
  established(revision: string): void;
  /** Nobody waits for the answer to this request any more; frees what belongs to it. */
  forget(request: number): void;
  /** Ends the wire (HTTP: DELETE of the session; stdio: stop of the child). Idempotent, never rejects. */
  close(): Promise<void>;
}

/** Headers of one message, names in lower case; only HTTP has them. */
export type MessageHeaders = Readonly<Record<string, string>>;

/** Origin of messages on a stream of their own, which belongs to no request (HTTP GET). */
export const NO_REQUEST = 0;

/** What a wire tells its Link. */
export interface WireEvents {
  /**
   * A message came. `origin` is the request whose own stream carried it, or NO_REQUEST; absent on wires
   * that have only one stream for everything.
   */
  message(message: Message, origin?: number): void;
  /**
   * Something of the stream that answers this request came, be it only a comment: from now on a long silence of
   * it is a failure. Not `isOpen`: it has ended before the answer, and is asked for again.
   */
  heard?(request: number, isOpen: boolean): void;
  /** This request will not be answered on this wire. */
  failed(request: number, error: SentinelError): void;
  /** Something that is not a message came; `sample` is its escaped beginning. */
  invalid(sample: string): void;
  /** The wire is gone; every request under way fails with this error. Called at most once. */
  closed(error: SentinelError): void;
}

/** Opens a wire; returns at once, failures come as `closed`. */
export type OpenWire = (events: WireEvents) => Wire;
