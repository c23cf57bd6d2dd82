/** Messages of HTTP+SSE clients that reached another replica than the one with their stream. */
import type { SessionId } from "../../contract/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Principal } from "../auth/principal.ts";
import type { FrontContext } from "../front/context.ts";
import { receiveOnChannel } from "../front/http_sse.ts";
import { decode } from "../mcp/codec.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { Session } from "../session/session.ts";
import type { Exchanges, Outlet } from "./exchanges.ts";
import { principalFacts, principalOf } from "./principal_facts.ts";

/** Within it the other replica has taken the message. */
const TAKEN_MS = 2000;

/** One message on its way to the replica with the stream. */
export interface ForeignPost {
  readonly session: SessionId;
  readonly principal: Principal;
  readonly address: string | undefined;
  readonly text: string;
}

/** `unknown`: that replica does not have the session; `lost`: nobody knows whether it took the message. */
export type Forwarded = "taken" | "unknown" | "lost";

export function forwardPost(
  { exchanges, clock }: { readonly exchanges: Exchanges; readonly clock: Clock },
  holder: string,
  { session, principal, address, text }: ForeignPost,
): Promise<Forwarded> {
  const { promise, resolve } = Promise.withResolvers<Forwarded>();
  const want = { kind: "post", session, principal: principalFacts(principal), address, text };
  const leave = exchanges.ask(holder, want, {
    part: () => {},
    end: ({ taken }) => resolve(taken === true ? "taken" : "unknown"),
    lost: (loss) => resolve(loss === "not arrived" ? "unknown" : "lost"),
  });
  const cancel = clock.after(TAKEN_MS, () => {
    leave("it took too long");
    resolve("lost");
  });
  void promise.then(cancel);
  return promise;
}

/** Serves `forwardPost`. */
export function servePost(context: FrontContext, want: JsonObject, outlet: Outlet): undefined {
  const { session: id, text } = want;
  const principal = principalOf(want["principal"]);
  const session = typeof id !== "string" || principal === undefined
    ? undefined
    : context.sessions.here(id, { front: "http_sse", toolset: undefined, principal });
  if (session === undefined || typeof text !== "string") {
    outlet.end({});
    return undefined;
  }
  if (typeof want["address"] === "string") session.address = want["address"];
  outlet.end({ taken: true });
  void receiveAll(context, session, text);
}

async function receiveAll(context: FrontContext, session: Session, text: string): Promise<void> {
  try {
    for (const message of decode(text).messages) await receiveOnChannel(context, session, message);
  } catch {
    // Who sent it has read it already: it does not come to this.
  }
}
