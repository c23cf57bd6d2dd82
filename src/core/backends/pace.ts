/**
 * How much of a stream is read in a second: what floods a pipe waits in it, and costs the gateway no more
 * time than the bound allows.
 */
import type { Cancel, Clock } from "../../ports/clock.ts";

const SECOND_MS = 1000;

export class Pace {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  #since: number;
  #taken = 0;
  #cancel: Cancel = () => {};
  #resume: () => void = () => {};
  #free = false;

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#since = clock.monotonic();
  }

  /** So much was read. A promise says that no more should be until it resolves. */
  take(bytes: number): void | Promise<void> {
    this.#taken += bytes;
    if (this.#taken <= this.#bytesPerSecond || this.#free) return;
    const left = this.#since + SECOND_MS - this.#clock.monotonic();
    if (left <= 0) return this.#begin();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resume = resolve;
    this.#cancel = this.#clock.after(left, () => {
      this.#begin();
      resolve();
    });
    return promise;
  }

  /** From now on as fast as it comes: what is left is little. */
  release(): void {
    this.#free = true;
    this.#cancel();
    this.#resume();
  }

  #begin(): void {
    this.#since = this.#clock.monotonic();
    this.#taken = 0;
  }
}
