/** Tells a client that a list changed, but only if the list it sees did. */
import type { View } from "../catalog/types.ts";
import { encodeNotification } from "../mcp/codec.ts";
import type { Session } from "./session.ts";

export const LIST_KINDS = ["tools", "prompts", "resources"] as const;
export type ListKind = (typeof LIST_KINDS)[number];

/** Who may be told of changed lists. */
export interface ListWatcher {
  /** Fingerprints of the lists as the client last could know them, by kind. */
  readonly seen: Map<string, string>;
}

/** Notes what the client's lists look like now, without telling it. */
export function rememberLists({ seen }: ListWatcher, view: View): void {
  for (const kind of LIST_KINDS) seen.set(kind, view.fingerprints[kind]);
}

/** The lists that are others than the client could know; from now on it knows them. */
export function changedLists({ seen }: ListWatcher, view: View): ListKind[] {
  const changed = LIST_KINDS.filter((kind) => seen.get(kind) !== view.fingerprints[kind]);
  for (const kind of changed) seen.set(kind, view.fingerprints[kind]);
  return changed;
}

export function notifyListChanges(session: Session, view: View): void {
  if (!session.negotiated) return;
  for (const kind of changedLists(session, view)) {
    session.say(encodeNotification(listChanged(kind)));
  }
}

/** Method of the notification. */
export function listChanged(kind: ListKind): string {
  return `notifications/${kind}/list_changed`;
}
