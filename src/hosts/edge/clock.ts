import type { Cancel, Clock } from "../../ports/clock.ts";

/** Time of one request: timers belong to it, and end with it. */
export class RequestClock implements Clock {
  readonly #ends = new Set<Cancel>();

  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  after(ms: number, run: () => void): Cancel {
    const timer = setTimeout(() => {
      this.#ends.delete(cancel);
      run();
    }, ms);
    const cancel = () => {
      this.#ends.delete(cancel);
      clearTimeout(timer);
    };
    this.#ends.add(cancel);
    return cancel;
  }

  every(ms: number, run: () => void): Cancel {
    const timer = setInterval(run, ms);
    const cancel = () => {
      this.#ends.delete(cancel);
      clearInterval(timer);
    };
    this.#ends.add(cancel);
    return cancel;
  }

  /** Nothing runs any more. */
  end(): void {
    for (const cancel of this.#ends) cancel();
  }
}
