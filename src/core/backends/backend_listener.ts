import type { JsonObject } from "../mcp/json.ts";
import type { Session } from "../session/session.ts";
import type { Subscriber } from "../session/subscriber.ts";
import type { Backend } from "./backend.ts";
import type { Ask, AskReply } from "./link.ts";

/** What a backend tells the runtime. */
export interface BackendEvents {
  /** What it offers, or its state, changed. */
  changed(backend: Backend): void;
  /** What it offers was read over a new link, which calls do not use yet. */
  read(backend: Backend): void;
  /** A resource somebody subscribed to was updated. */
  updated(backend: Backend, uri: string, subscribers: Iterable<Subscriber>): void;
  /** A log message that belongs to no call; `session` when its link belongs to one. */
  logged(backend: Backend, params: JsonObject, session: Session | undefined): void;
  /** Any other message that belongs to one session. */
  relayed(session: Session, method: string, params: JsonObject): void;
  /** A server request on a link that belongs to one session. */
  asked(session: Session, ask: Ask): Promise<AskReply>;
  /** Least severe log level any session wants, or undefined. */
  wantedLogLevel(): string | undefined;
}
