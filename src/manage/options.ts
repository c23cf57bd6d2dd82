/** What the management API needs from the host. */
import type { RouteAnswer } from "../contract/manage/mod.ts";
import type { Control } from "../core/mod.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Telemetry } from "../ports/telemetry.ts";

/** A token of an operator or a program. */
export interface ManageToken {
  /** For the journal; tokens of one name may be valid side by side. */
  readonly name: string;
  readonly scope: "read" | "admin";
  readonly value: string;
  /** Not accepted from this moment on, milliseconds since 1970. */
  readonly expires?: number | undefined;
}

/** What a reload may change. */
export interface ManageSettings {
  /** A new array when they have changed. */
  readonly tokens: readonly ManageToken[];
  /** Answer the health check without a token. */
  readonly publicHealth: boolean;
  /** Names and addresses the listener is reached by, in lower case, without port; loopback is always allowed. */
  readonly hostnames: ReadonlySet<string>;
}

/** What only the host knows of the gateway. */
export interface Facts {
  readonly version: string;
  readonly runtime: RouteAnswer<"status">["runtime"];
  readonly pid?: number | undefined;
  /** URL for MCP clients; undefined when nothing listens. */
  readonly endpoint: () => string | undefined;
}

/** Text in the format that was asked for. */
export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

export interface ManageOptions {
  readonly control: Control;
  readonly clock: Clock;
  /** The log beside the event log, so that what is reported here is kept too. */
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly facts: Facts;
  /** Asked for each request. */
  readonly settings: () => ManageSettings;
  /** Absent: there is no `/metrics`. */
  readonly metrics?: ((accept: string | undefined) => Exposition) | undefined;
  /** UUIDv7 of a request. */
  readonly requestId: () => string;
}
