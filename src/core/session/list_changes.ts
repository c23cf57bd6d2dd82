/** Tells a session that a list changed, but only if the list it sees did. */
import type { View } from "../catalog/types.ts";
import { encodeNotification } from "../mcp/codec.ts";
import type { Session } from "./session.ts";

const KINDS = ["tools", "prompts", "resources"] as const;

/** Notes what the session's lists look like now, without telling it. */
export function rememberLists(session: Session, view: View): void {
  for (const kind of KINDS) session.seen.set(kind, view.fingerprints[kind]);
}

export function notifyListChanges(session: Session, view: View): void {
  if (!session.negotiated) return;
  for (const kind of KINDS) {
    const fingerprint = view.fingerprints[kind];
    if (session.seen.get(kind) === fingerprint) continue;
    session.seen.set(kind, fingerprint);
    session.channel?.send(encodeNotification(`notifications/${kind}/list_changed`));
  }
}
