/** Looks at all of many things once in an interval, at some of them at a time: no call waits for all of it. */
import type { Cancel, Clock } from "../../ports/clock.ts";

/** Looked at in one go, at least. */
const FEWEST = 50;
/** Short: what one go does, such as signs of life over streams, is what a call that comes then waits for. */
const PAUSE_MS = 5;
/** Goes in an interval, with some time left over. */
const GOES = 150;

export interface RoundsOptions<T> {
  readonly clock: Clock;
  /** From one round to the next, milliseconds. */
  readonly everyMs: number;
  readonly all: () => Iterable<T> & { readonly size: number };
  /** Called before each round. */
  readonly begin?: () => void;
  readonly look: (some: readonly T[]) => void;
}

export class Rounds<T> {
  readonly #options: RoundsOptions<T>;
  readonly #endRounds: Cancel;
  #left: Iterator<T> | undefined;
  #atOnce = FEWEST;
  #endPause: Cancel | undefined;

  constructor(options: RoundsOptions<T>) {
    this.#options = options;
    this.#endRounds = options.clock.every(options.everyMs, () => this.#begin());
  }

  stop(): void {
    this.#endRounds();
    this.#endPause?.();
    this.#left = undefined;
  }

  #begin(): void {
    this.#endPause?.();
    // A busy process did not get to the end: nothing waits longer than for the next round.
    this.#look(Infinity);
    const { all, begin } = this.#options;
    begin?.();
    const things = all();
    this.#left = things[Symbol.iterator]();
    this.#atOnce = Math.max(FEWEST, Math.ceil(things.size / GOES));
    this.#go();
  }

  #go(): void {
    this.#look(this.#atOnce);
    if (this.#left === undefined) return;
    this.#endPause = this.#options.clock.after(PAUSE_MS, () => this.#go());
  }

  #look(most: number): void {
    const some: T[] = [];
    while (this.#left !== undefined && some.length < most) {
      const next = this.#left.next();
      if (next.done === true) this.#left = undefined;
      else some.push(next.value);
    }
    if (some.length > 0) this.#options.look(some);
  }
}
