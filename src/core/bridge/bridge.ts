/** What stages need to carry questions from one era of the protocol to the other. */
import type { Bridge as Direction } from "../../contract/audit.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { SessionStore } from "../../ports/session_store.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { SealedStates } from "./sealed_state.ts";
import { randomToken } from "./token.ts";

export interface BridgePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Keeps the key of sealed states. */
  readonly store: Pick<SessionStore, "secret">;
}

export class Bridge {
  readonly clock: Clock;
  readonly states: SealedStates;
  readonly #ports: BridgePorts;

  constructor(ports: BridgePorts) {
    this.#ports = ports;
    this.clock = ports.clock;
    this.states = new SealedStates(ports);
  }

  /** An id that nobody can guess, for a question that needs one. */
  mintId(): string {
    return randomToken(this.#ports.random);
  }

  /** Counts that a client was asked, and how that ended. */
  count(bridge: Direction, result: "answered" | "failed" | "expired"): void {
    this.#ports.telemetry.series("sentinel_bridge_rounds_total", { bridge, result }).add(1);
  }
}
