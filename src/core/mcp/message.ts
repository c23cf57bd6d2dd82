import type { JsonObject } from "./json.ts";

/**
 * JSON-RPC messages as both sides of the gateway see them. An id is kept as the JSON text it arrived as:
 * `"1"` and `1` stay different, and integers beyond 2^53 stay exact.
 */
export interface RequestMessage {
  readonly kind: "request";
  /** JSON text of the id: an integer, or a string with its quotes. */
  readonly id: string;
  readonly method: string;
  readonly params: JsonObject | undefined;
  /** Characters of the parameters as they came. */
  readonly size: number;
}

export interface NotificationMessage {
  readonly kind: "notification";
  readonly method: string;
  readonly params: JsonObject | undefined;
}

export interface ResponseMessage {
  readonly kind: "response";
  /** JSON text of the id, or undefined when the sender could not read it (`null` or absent). */
  readonly id: string | undefined;
  /** JSON text of `result`, scanned but not parsed; undefined for an error. */
  readonly result: string | undefined;
  /** JSON text of `error`, scanned but not parsed; undefined for a result. */
  readonly error: string | undefined;
}

export type Message = RequestMessage | NotificationMessage | ResponseMessage;

/** What a text decoded to: one message, or a batch (revision 2025-03-26 only). */
export type Frame = { readonly batch: false; readonly messages: readonly [Message] } | {
  readonly batch: true;
  readonly messages: readonly Message[];
};
