/** An HTTP connection that the core has admitted as a pipe of messages; the host makes it one. */
import type { MessageLink } from "../../ports/message_link.ts";

/** The host calls `serve` or `abandon`, once. */
export interface Upgrade {
  /** Subprotocol to choose; undefined when the client offered none that we speak. */
  readonly protocol: string | undefined;
  /** Longest message; in force now. */
  readonly maxMessageBytes: () => number;
  /** Between two pings, milliseconds; in force now. */
  readonly heartbeatMs: () => number;
  /** Serves the pipe; resolves when its client has gone. Never rejects. */
  serve(link: MessageLink): Promise<void>;
  /** The connection could not be upgraded. */
  abandon(): void;
}
