/** Tells a client that a list changed, but only if the list it sees did. */
import type { View } from "../catalog/types.ts";
import { encodeNotification } from "../mcp/codec.ts";
import type { Session } from "./session.ts";

export const LIST_KINDS = ["tools", "prompts", "resources"] as const;
export type ListKind = (typeof LIST_KINDS)[number];

/** Who may be told of changed lists. */
export interface ListWatcher {
  /** Fingerprints of the lists as the client last could know them. */
  seen: View["fingerprints"] | undefined;
}

/** Notes what the client's lists look like now, without telling it. */
export function rememberLists(watcher: ListWatcher, view: View): void {
  watcher.seen = view.fingerprints;
}

/** The lists that are others than the client could know; from now on it knows them. */
export function changedLists(watcher: ListWatcher, { fingerprints }: View): ListKind[] {
  const { seen } = watcher;
  watcher.seen = fingerprints;
  return LIST_KINDS.filter((kind) => seen?.[kind] !== fingerprints[kind]);
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
