/** A transport that is a pipe of messages: stdio, an upgraded WebSocket. */
export interface MessageLink {
  /** Texts as they come, one message each; ends when the client has gone. */
  readonly messages: AsyncIterable<string>;
  /** Sends one message. Resolves when the transport took it. */
  send(text: string): void | Promise<void>;
  close(): void;
}
