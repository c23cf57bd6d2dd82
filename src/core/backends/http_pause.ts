import type { Clock } from "../../ports/clock.ts";

/** A wait that can be cut short; one at a time. */
export class Pause {
  readonly #clock: Clock;
  #finish: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves after `ms`, or when it is cut. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, () => this.#finish?.());
      this.#finish = () => {
        this.#finish = undefined;
        cancel();
        resolve();
      };
    });
  }

  cut(): void {
    this.#finish?.();
  }
}
