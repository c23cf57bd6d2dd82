/** Why we end a pipe. */
export interface LinkEnd {
  /** `unread`: its client does not read; `unauthenticated`: its token is not valid any more. */
  readonly kind: "ended" | "unread" | "unauthenticated";
  /** For the client, where the transport can tell it. */
  readonly reason: string;
}

/** A transport that is a pipe of messages: stdio, an upgraded WebSocket. */
export interface MessageLink {
  /** Texts as they come, one message each; ends when the client has gone. */
  readonly messages: AsyncIterable<string>;
  /** Sends one message. Resolves when the transport took it. */
  send(text: string): void | Promise<void>;
  /** Idempotent; `messages` ends. */
  close(end: LinkEnd): void;
}
