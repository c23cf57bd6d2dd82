/** How a stream goes on whose replica is gone: what was kept of it, then what became of its requests. */
import { SentinelError, toRpcError } from "../../contract/mod.ts";
import type { StoredEvent } from "../../ports/event_store.ts";
import type { KeptStream } from "../../ports/session_store.ts";
import type { FrontContext } from "../front/context.ts";
import { decode, encodeError } from "../mcp/codec.ts";

/** In words, for whoever waited. */
const GONE = "the gateway that worked on it is gone";

/** Answers to those requests of a stream that its events do not answer, and that nobody works on any more. */
export function goneAnswers(
  { line }: Pick<FrontContext, "line">,
  requests: readonly string[],
  events: readonly StoredEvent[],
): string[] {
  const answered = new Set(events.map(({ data }) => answeredIn(data)));
  return requests.filter((id) => !answered.has(id))
    .map((id) => encodeError(id, toRpcError(goneError(), line.requestId())));
}

export function goneError(): SentinelError {
  return new SentinelError("BACKEND_LOST", `Cannot finish the call: ${GONE}`, {
    reason: GONE,
    executed: "unknown",
  });
}

/** What was kept of a stream from an event on; undefined when nobody knows it, or nobody can be asked. */
export async function keptAfter(
  { store }: Pick<FrontContext, "store">,
  key: string,
  after: number,
): Promise<KeptStream | undefined> {
  return await store.kept(key, after).catch(() => undefined);
}

/** Id of the request that one event answers, if it answers one. */
function answeredIn(data: string): string | undefined {
  if (data === "") return undefined;
  try {
    const [message] = decode(data).messages;
    return message?.kind === "response" ? message.id : undefined;
  } catch {
    return undefined;
  }
}
