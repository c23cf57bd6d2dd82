import type { EventStore } from "../../ports/event_store.ts";
import type { SessionStore } from "../../ports/session_store.ts";
import type { Authenticate } from "../auth/authenticator.ts";
import type { Line } from "../call/receive.ts";
import type { ListenHub } from "../bridge/listen_hub.ts";
import type { ParkedCalls } from "../bridge/parked_calls.ts";
import type { Others } from "../replicas/others.ts";
import type { Caller } from "../session/caller.ts";
import type { ModernClients } from "../session/modern_clients.ts";
import type { Sessions } from "../session/registry.ts";
import type { BodyDeadlines } from "./body_deadlines.ts";
import type { Intake } from "./intake.ts";

/** What all fronts share. */
export interface FrontContext {
  readonly line: Line;
  readonly authenticate: Authenticate;
  readonly sessions: Sessions;
  readonly clients: ModernClients;
  readonly parked: ParkedCalls;
  readonly listens: ListenHub;
  readonly events: EventStore;
  /** Of sessions, beside this gateway's memory. */
  readonly store: SessionStore;
  /** Absent: there are none. */
  readonly others?: Others;
  /** Present: no session can be kept, and what to configure for it, in words. */
  readonly sessionless?: string;
  readonly intake: Intake;
  readonly bodies: BodyDeadlines;
  readonly server: { readonly name: string; readonly version: string };
  /** In force now. */
  readonly maxRequestBytes: () => number;
  /** Between keep-alives of connections, milliseconds; in force now. */
  readonly heartbeatMs: () => number;
  /** Before a session is opened over HTTP. @throws SentinelError RATE_LIMITED */
  readonly admitNewcomer: () => void;
  /** A client read too slowly and lost its stream. */
  readonly overflow: (caller: Pick<Caller, "front">) => void;
}
