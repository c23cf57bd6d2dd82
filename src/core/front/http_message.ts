/**
 * An HTTP exchange as the fronts see it: less than Request and Response, because on Node these cost more
 * than the call itself.
 */
import type { Peer } from "./peer.ts";
import type { Upgrade } from "./upgrade.ts";

export interface HttpIncoming {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  /** True when a WebSocket is asked for and the host can make one of this connection. */
  readonly wantsUpgrade?: boolean;
  /** Value of a header, or undefined; `name` is in lower case. */
  header(name: string): string | undefined;
  /** All names and values together. */
  headerBytes(): number;
  /**
   * The whole body.
   * @throws SentinelError TOO_LARGE as soon as it is longer than `maxBytes`, BAD_HTTP when it breaks off
   */
  body(maxBytes: number): Promise<Uint8Array>;
  /** Gives up a body that is being read: `body` rejects with `error`. */
  abandon(error: Error): void;
  /** Calls `run` when the client goes away before it has the answer; some hosts call it after that, too. */
  onGone(run: () => void): void;
}

export interface HttpOutgoing {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | ReadableStream<Uint8Array> | undefined;
  /** With status 101, and only for a request that wants it. */
  readonly upgrade?: Upgrade;
}

/** Never rejects. */
export type HttpHandler = (incoming: HttpIncoming, peer?: Peer) => Promise<HttpOutgoing>;
