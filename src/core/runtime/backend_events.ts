/** What backends tell the runtime, on its way to those it concerns. */
import type { Backend } from "../backends/backend.ts";
import type { BackendEvents } from "../backends/backend_listener.ts";
import type { View } from "../catalog/types.ts";
import { encodeNotification } from "../mcp/codec.ts";
import type { Caller } from "../session/caller.ts";
import { mostVerbose } from "../session/log_levels.ts";
import type { Session } from "../session/session.ts";
import type { World } from "./world.ts";

/** What the runtime lends. */
export interface BackendEventsOptions {
  readonly sessions: () => Iterable<Session>;
  readonly world: () => World;
  readonly view: (caller: Pick<Caller, "toolset" | "principal">) => View;
  /** What a backend offers, or its state, changed. */
  readonly changed: () => void;
  /** First handshakes are under way. */
  readonly isStarting: () => boolean;
}

export function createBackendEvents(options: BackendEventsOptions): BackendEvents {
  const { sessions, world, view, changed, isStarting } = options;
  const sees = (session: Session, backend: Backend): boolean =>
    session.initialized && view(session).backends.includes(backend.name);
  return {
    changed,
    read: () => {
      // Before the first merge nobody has resolved anything that could have changed.
      if (!isStarting()) changed();
    },
    updated: (backend, uri, subscribers) => {
      // Two share their subscribers while one replaces the other.
      if (world().backends.get(backend.name) !== backend) return;
      for (const subscriber of subscribers) {
        // What it may read can have changed since it subscribed.
        const readable = view(subscriber).resource(uri, backend.name) !== undefined;
        if (readable) subscriber.tell("notifications/resources/updated", { uri });
      }
    },
    logged: (backend, params, owner) => {
      const text = encodeNotification("notifications/message", params);
      for (const session of owner === undefined ? sessions() : [owner]) {
        if (!sees(session, backend) || !session.wantsLog(params)) continue;
        if (owner === undefined) session.say(text);
        else session.pass(text);
      }
    },
    relayed: (session, method, params) => void session.pass(encodeNotification(method, params)),
    asked: (session, ask) => {
      const question = { caller: session, backend: "", ask };
      return world().interceptors.ask(question, (asked) => session.ask(asked));
    },
    wantedLogLevel: () => mostVerbose(sessions()),
  };
}
