/** A way to a client on which server messages can be sent: a stream, a pipe. */
export interface Channel {
  /** Somebody reads it now. */
  readonly attached: boolean;
  /** Sends one JSON-RPC text; false when it cannot reach the client any more. */
  send(text: string): boolean;
}
