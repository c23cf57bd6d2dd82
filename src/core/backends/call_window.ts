/** What happened at a backend in the last 30 seconds: two counters, kept without a look at each call. */
const SLOT_MS = 5000;
const SLOTS = 6;

export class CallWindow {
  readonly #calls = new Array<number>(SLOTS).fill(0);
  readonly #marked = new Array<number>(SLOTS).fill(0);
  #slot = 0;
  /** Monotonic time at which the slot in use ends. */
  #ends = 0;

  /** One call at `now` (monotonic ms). */
  count(now: number): void {
    if (now >= this.#ends) this.#turn(now);
    this.#calls[this.#slot] = (this.#calls[this.#slot] as number) + 1;
  }

  /** One of those that are looked for, beside being a call or not. */
  mark(now: number): void {
    if (now >= this.#ends) this.#turn(now);
    this.#marked[this.#slot] = (this.#marked[this.#slot] as number) + 1;
  }

  calls(now: number): number {
    if (now >= this.#ends) this.#turn(now);
    return sum(this.#calls);
  }

  marked(now: number): number {
    if (now >= this.#ends) this.#turn(now);
    return sum(this.#marked);
  }

  clear(): void {
    this.#calls.fill(0);
    this.#marked.fill(0);
  }

  /** Empties the slots that are older than the window. */
  #turn(now: number): void {
    const passed = Math.min(SLOTS, Math.floor((now - this.#ends) / SLOT_MS) + 1);
    for (let step = 0; step < passed; step++) {
      this.#slot = (this.#slot + 1) % SLOTS;
      this.#calls[this.#slot] = 0;
      this.#marked[this.#slot] = 0;
    }
    this.#ends = (Math.floor(now / SLOT_MS) + 1) * SLOT_MS;
  }
}

function sum(counts: readonly number[]): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
