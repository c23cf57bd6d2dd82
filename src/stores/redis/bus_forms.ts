/** How a message of a replica stands on a channel: who sent it, a space, the text. */
import type { BusMessage } from "../../ports/bus.ts";

const INSTANCE = /^[0-9a-f]{12} /;
const HEAD = 13;

export function writtenMessage(from: string, text: string): string {
  return `${from} ${text}`;
}

/** Undefined for what is none. */
export function spokenMessage(text: string): BusMessage | undefined {
  if (!INSTANCE.test(text)) return undefined;
  return { from: text.slice(0, HEAD - 1), text: text.slice(HEAD) };
}
