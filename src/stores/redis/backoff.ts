import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";

const FIRST_MS = 100;
const MOST_MS = 5000;
/** A connection that lasted as long was a good one. */
const STABLE_MS = 10_000;

/** Pauses between attempts: doubled each time, and never the same on two replicas. */
export class Backoff {
  readonly #clock: Clock;
  readonly #random: Random;
  #failures = 0;
  #connectedAt: number | undefined;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  connected(): void {
    this.#connectedAt = this.#clock.monotonic();
  }

  /** Milliseconds until the next attempt, after one has failed or a connection was lost. */
  next(): number {
    const at = this.#connectedAt;
    if (at !== undefined && this.#clock.monotonic() - at >= STABLE_MS) this.#failures = 0;
    this.#connectedAt = undefined;
    const most = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(this.#failures++, 16));
    return most * (0.5 + this.#random.fraction() / 2);
  }
}
