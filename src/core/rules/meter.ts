import type { Clock } from "../../ports/clock.ts";

/** Work of all rules on one call in one phase: steps through lists, and characters that were matched. */
const MOST_WORK = 100_000;
/** The last resort, for single steps that are expensive. */
const LONGEST_MS = 100;
/** Steps between two looks at the clock. */
const LOOK_EVERY = 16;
/** Characters a regular expression reads in the time of a step. */
const CHARACTERS = 64;

/** Bounds what the arguments of a caller can make rules do. Evaluation is synchronous, so one serves all. */
export class Meter {
  readonly #clock: Clock;
  #work = 0;
  #steps = 0;
  #until = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins with a call. */
  reset(): void {
    this.#work = 0;
    this.#steps = 0;
    this.#until = this.#clock.monotonic() + LONGEST_MS;
  }

  /** True when there was too much; what was found out since then must not count. */
  get exhausted(): boolean {
    return this.#work > MOST_WORK;
  }

  /** @throws RangeError when it was too much, and from then on */
  step(): void {
    this.#add(1);
  }

  /** @throws RangeError when it was too much, and from then on */
  matching(text: string): void {
    this.#add(1 + text.length / CHARACTERS);
  }

  #add(work: number): void {
    this.#work += work;
    if (++this.#steps % LOOK_EVERY === 0 && this.#clock.monotonic() > this.#until) {
      this.#work = Infinity;
    }
    if (this.exhausted) throw new RangeError("it takes too much work for these values");
  }
}
