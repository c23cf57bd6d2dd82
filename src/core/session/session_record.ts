/** What of a session is written down, and what a record makes of a session. */
import type { SessionRecord } from "../../ports/session_store.ts";
import type { Session } from "./session.ts";

/** A session that others may have to know of; a pipe ends with its process. */
export type StoredFront = SessionRecord["front"];

/** Whether sessions of this front are put into the store. */
export function isStored({ front }: Pick<Session, "front">): boolean {
  return front === "streamable_http" || front === "http_sse";
}

/** @param seenAt wall time of its last sign of life, milliseconds since 1970 */
export function recordOf(session: Session, seenAt: number): SessionRecord {
  const { id, ref, front, toolset, principal, revision, capabilities, client } = session;
  const { logLevel, holder, initialized, openedAt } = session;
  return {
    id,
    ref,
    front: front as StoredFront,
    ...(toolset === undefined ? {} : { toolset }),
    principal: principal.id,
    revision,
    capabilities,
    ...(client === undefined ? {} : { client }),
    initialized,
    ...(logLevel === undefined ? {} : { logLevel }),
    subscriptions: session.subscriptions,
    openedAt,
    seenAt,
    holder,
  };
}

/** Makes a session what its record says. What is new to it is not written again. */
export function applyRecord(session: Session, record: SessionRecord): void {
  session.restore({
    revision: record.revision,
    capabilities: record.capabilities,
    client: record.client,
    initialized: record.initialized,
    logLevel: record.logLevel,
    subscriptions: record.subscriptions,
    holder: record.holder ?? session.holder,
  });
}
