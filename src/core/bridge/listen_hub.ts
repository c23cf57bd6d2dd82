/** Open listens of modern clients: who is told what (specification 2026-07-28, subscriptions). */
import type { Config } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Telemetry } from "../../ports/telemetry.ts";

export interface ListenPorts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** In force now. */
  readonly bounds: () => Config["bridge"];
}

export class ListenHub {
  readonly #ports: ListenPorts;

  constructor(ports: ListenPorts) {
    this.#ports = ports;
  }

  get size(): number {
    void this.#ports;
    return 0;
  }

  /** Ends all of them. */
  close(): void {}
}
