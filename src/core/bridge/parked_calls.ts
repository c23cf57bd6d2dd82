/** Calls of modern clients that wait, at a legacy backend, for the answer to a question. */
import type { Config } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";

export interface ParkedPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** In force now. */
  readonly bounds: () => Config["bridge"];
}

export class ParkedCalls {
  readonly #ports: ParkedPorts;

  constructor(ports: ParkedPorts) {
    this.#ports = ports;
  }

  get size(): number {
    void this.#ports;
    return 0;
  }

  /** Gives up all of them. */
  close(): void {}
}
