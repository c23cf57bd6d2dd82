/** Bounds the work of one check, whatever the schema does: references can make it grow without bound. */

/** Granted to every check, besides a multiple of the size of what is checked. */
const BASE = 50_000;
const PER_NODE = 10;

export class TooManySteps extends Error {}

export class Steps {
  #left = 0;

  begin(nodes: number): void {
    this.#left = BASE + PER_NODE * nodes;
  }

  /** @throws TooManySteps */
  take(): void {
    if (--this.#left < 0) throw new TooManySteps();
  }
}
