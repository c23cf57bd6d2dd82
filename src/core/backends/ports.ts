import type { Clock } from "../../ports/clock.ts";
import type { HttpClient } from "../../ports/http_client.ts";
import type { Log } from "../../ports/log.ts";
import type { Spawner } from "../../ports/process.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { BackendMemory } from "./memory.ts";

/** Everything backends need from outside the core. */
export interface BackendPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly http: HttpClient;
  /** Absent where processes cannot be started (edge). */
  readonly spawner: Spawner | undefined;
  /** Version of this gateway. */
  readonly version: string;
  /** Replaces known secrets in a text. */
  readonly mask: (text: string) => string;
  /**
   * Present where this core serves one request and ends (edge): a backend is connected to when a call needs it,
   * offers what it offered to the core before, and no stream of it is kept open.
   */
  readonly memory?: BackendMemory | undefined;
}
