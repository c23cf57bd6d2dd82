import { asSentinelError, type SentinelError } from "../../contract/mod.ts";
import { decode } from "../mcp/codec.ts";
import type { Message } from "../mcp/message.ts";

/** The messages of a text a backend sent, or why it has none. */
export function messagesOf(text: string): readonly Message[] | SentinelError {
  try {
    return decode(text).messages;
  } catch (thrown) {
    return asSentinelError(thrown);
  }
}
