/** Which era a message is of: the body says it, headers only have to agree (specification 2026-07-28, transports). */
import { SentinelError } from "../../contract/mod.ts";
import { hasEnvelope, isModern, META } from "../mcp/envelope.ts";
import type { Frame, Message, NotificationMessage, RequestMessage } from "../mcp/message.ts";
import { RefusedMessage } from "./refused_message.ts";

/** A message of the modern era. */
export type ModernMessage = RequestMessage | NotificationMessage;

/**
 * The message of a POST, when it is a modern one; undefined: legacy.
 * @throws SentinelError INVALID_REQUEST for a batch with a modern message, HEADER_MISMATCH or INVALID_PARAMS for a
 *   request whose header names a modern revision while its body is legacy
 */
export function modernMessage(
  { batch, messages }: Frame,
  version: string | undefined,
): ModernMessage | undefined {
  if (batch) {
    if (isModern(version) || messages.length === 0) throw noBatches();
    checkNoneModern(messages);
    return undefined;
  }
  const [message] = messages;
  if (message.kind === "response") return undefined;
  if (hasEnvelope(message.params)) return message;
  if (!isModern(version)) return undefined;
  if (message.kind === "notification") return message;
  throw new RefusedMessage(withoutEnvelope(message), message.id);
}

/** @throws SentinelError INVALID_REQUEST when a message of a batch is modern: that era has no batches */
export function checkNoneModern(messages: readonly Message[]): void {
  if (messages.some(isModernMessage)) throw noBatches();
}

/** True for a message that says itself that it is modern. */
export function isModernMessage(message: Message): message is ModernMessage {
  return message.kind !== "response" && hasEnvelope(message.params);
}

function withoutEnvelope({ method }: RequestMessage): SentinelError {
  if (method === "initialize") {
    return new SentinelError(
      "HEADER_MISMATCH",
      'Cannot initialize: "MCP-Protocol-Version" names a revision without handshake',
      { more: { header: "MCP-Protocol-Version" } },
    );
  }
  return new SentinelError(
    "INVALID_PARAMS",
    `Cannot read the envelope of the request: "${META.revision}" is missing in "_meta"`,
    { http: 400 },
  );
}

function noBatches(): SentinelError {
  return new SentinelError(
    "INVALID_REQUEST",
    "Cannot read the message: it is an empty batch, or one of a revision without batches",
  );
}
