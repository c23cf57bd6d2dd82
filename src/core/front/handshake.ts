/** `initialize`: answered from the catalog, the same on every front. */
import { SentinelError } from "../../contract/mod.ts";
import type { View } from "../catalog/types.ts";
import { encodeNotification } from "../mcp/codec.ts";
import { clientName } from "../mcp/envelope.ts";
import { isObject } from "../mcp/json.ts";
import type { RequestMessage } from "../mcp/message.ts";
import { isLegacyRevision, LATEST_LEGACY } from "../mcp/revisions.ts";
import { LIST_KINDS, listChanged, rememberLists } from "../session/list_changes.ts";
import type { Session } from "../session/session.ts";

/** Puts what was negotiated into the session. The revision is the client's if we speak it, else our latest. */
export function negotiate(session: Session, { params = {} }: RequestMessage): void {
  const { protocolVersion, capabilities, clientInfo } = params;
  if (typeof protocolVersion !== "string") {
    throw new SentinelError(
      "INVALID_PARAMS",
      'Cannot initialize: "protocolVersion" is not a string',
    );
  }
  session.revision = isLegacyRevision(protocolVersion) ? protocolVersion : LATEST_LEGACY;
  session.capabilities = isObject(capabilities) ? capabilities : {};
  session.client = clientName(clientInfo);
  session.negotiated = true;
}

/** A client that goes on after a restart may know other lists than there are now: it is told to read them. */
export function reannounceLists(session: Session, view: View): void {
  rememberLists(session, view);
  for (const kind of LIST_KINDS) {
    if (view.capabilities[kind] === undefined) continue;
    session.say(encodeNotification(listChanged(kind)));
  }
}

/** JSON text of the result. */
export function initializeResult(
  session: Session,
  view: View,
  server: { readonly name: string; readonly version: string },
): string {
  rememberLists(session, view);
  return JSON.stringify({
    protocolVersion: session.revision,
    capabilities: view.capabilities,
    serverInfo: { name: server.name, title: "MCP Sentinel", version: server.version },
    ...(view.instructions === undefined ? {} : { instructions: view.instructions }),
  });
}
