import type { DroppedMessages, Era } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { JsonObject } from "../mcp/json.ts";
import { type Dialect, legacyDialect, modernDialect } from "./dialect.ts";
import type { Dialects } from "./greet.ts";
import type { LinkEvents } from "./link.ts";
import type { LinkMetrics } from "./link_metrics.ts";

export interface LinkOptions {
  /** What a legacy backend is told that may be asked; only what can be attributed to one client. */
  readonly capabilities: JsonObject;
  /** Version of this gateway, for `clientInfo`. */
  readonly version: string;
  /** In which era the backend is greeted; with two it is found out. Default: legacy. */
  readonly eras?: readonly [Era] | readonly ["modern", "legacy"];
  /** The wire has headers for each message, and an exchange for each request. Default: no. */
  readonly overHttp?: boolean;
  readonly handshakeMs: number;
  /** Gives the handshake up. */
  readonly signal?: AbortSignal;
  readonly clock: Clock;
  readonly random?: Random;
  readonly events: LinkEvents;
  /** Counters of the backend, shared by all its links. */
  readonly dropped: DroppedMessages;
  /** A backend wrote something that is not a message. */
  readonly invalid: (sample: string) => void;
  readonly metrics?: LinkMetrics;
  /** Whether a modern backend is asked to tell of changed lists. Default: no. */
  readonly followsLists?: boolean;
  /** A modern backend declares that it tells of changes, and refuses to. */
  readonly deaf?: (reason: string) => void;
  /** The backend does not know the era any more in which it was greeted; the link is lost then. */
  readonly stale?: () => void;
}

export function dialectsOf(options: LinkOptions): Dialects {
  const { eras = ["legacy"], overHttp = false, version, capabilities } = options;
  const dialectOf = (era: Era): Dialect =>
    era === "legacy" ? legacyDialect(version, capabilities) : modernDialect(version, overHttp);
  const [first, second] = eras;
  return second === undefined ? [dialectOf(first)] : [dialectOf(first), dialectOf(second)];
}
