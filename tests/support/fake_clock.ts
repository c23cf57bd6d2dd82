import { setImmediate } from "node:timers";
import type { Cancel, Clock } from "../../src/ports/clock.ts";

interface Timer {
  due: number;
  readonly every: number | undefined;
  readonly run: () => void;
}

/** A clock that moves only when told; wall and monotonic time run together from a fixed start. */
export class FakeClock implements Clock {
  #elapsed = 0;
  readonly #timers = new Set<Timer>();
  readonly #start = Date.UTC(2026, 0, 1);

  now(): number {
    return this.#start + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(ms: number, run: () => void): Cancel {
    return this.#add({ due: this.#elapsed + ms, every: undefined, run });
  }

  every(ms: number, run: () => void): Cancel {
    return this.#add({ due: this.#elapsed + ms, every: ms, run });
  }

  /** Timers and sweeps that are waiting. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next of them is due; undefined without any. */
  get next(): number | undefined {
    const first = this.#next(Infinity);
    return first === undefined ? undefined : first.due - this.#elapsed;
  }

  /** Moves time forward and runs what falls due, in order; lets promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#elapsed = next.due;
      if (next.every === undefined) this.#timers.delete(next);
      else next.due += next.every;
      next.run();
      await settle();
    }
    this.#elapsed = end;
    await settle();
  }

  #add(timer: Timer): Cancel {
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.due <= end && (first === undefined || timer.due < first.due)) first = timer;
    }
    return first;
  }
}

/** Lets everything that is already resolvable run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  await new Promise<void>((resolve) => setImmediate(resolve));
}
