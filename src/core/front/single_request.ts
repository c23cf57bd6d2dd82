/** Requests of legacy clients where no session can be kept: each has one that ends with it. */
import { SentinelError } from "../../contract/mod.ts";
import { MODERN_REVISIONS } from "../mcp/envelope.ts";
import type { Session } from "../session/session.ts";
import type { FrontContext } from "./context.ts";
import type { HttpIncoming } from "./http_message.ts";
import { RefusedMessage } from "./refused_message.ts";
import { giveStandalone } from "./session_streams.ts";
import type { Caller } from "./streamable_http.ts";

/** Of a request without the header (specification 2025-06-18). */
const DEFAULT_REVISION = "2025-03-26";

/**
 * A session for one request, which says its revision in a header, as all after `initialize` do. Nothing is known
 * of what its client can be asked.
 * @throws SentinelError SESSION_UNKNOWN when it names a session
 */
export async function openSingle(
  context: FrontContext,
  incoming: HttpIncoming,
  { principal, toolset, address }: Caller,
): Promise<Session> {
  if (incoming.header("mcp-session-id") !== undefined) {
    const message = "Cannot find the session: none is kept here";
    throw new SentinelError("SESSION_UNKNOWN", message, reasonOf(context.sessionless));
  }
  await context.line.starting();
  const session = context.sessions.open("streamable_http", toolset, principal);
  session.address = address;
  session.revision = incoming.header("mcp-protocol-version")?.trim() ?? DEFAULT_REVISION;
  session.negotiated = true;
  giveStandalone(context, session);
  return session;
}

/**
 * To `initialize`; the revisions that need no session are named.
 * @param id JSON text
 */
export function sessionRefused(sessionless: string, id: string): RefusedMessage {
  const error = new SentinelError(
    "REVISION_UNSUPPORTED",
    "Cannot open a session: none is kept here",
    { reason: sessionless, more: { supported: MODERN_REVISIONS } },
  );
  return new RefusedMessage(error, id);
}

function reasonOf(sessionless: string | undefined): { readonly reason?: string } {
  return sessionless === undefined ? {} : { reason: sessionless };
}
