/** Events of a session's stream, in memory and with the store of the sessions. */
import type { EventStore } from "../../ports/event_store.ts";
import type { SessionStore, StreamFacts } from "../../ports/session_store.ts";

/** The same store of events, whose events also go to where sessions outlive this process. */
export function keptEvents(
  events: EventStore,
  store: SessionStore,
  facts: StreamFacts,
): EventStore {
  if (store.kind === "memory") return events;
  return {
    append: (stream, data) => {
      const sequence = events.append(stream, data);
      store.keep(stream, facts, { sequence, data });
      return sequence;
    },
    after: (stream, sequence) => events.after(stream, sequence),
    end: (stream) => store.keepEnd(stream),
    drop: (stream) => events.drop(stream),
    sweep: () => events.sweep(),
  };
}
