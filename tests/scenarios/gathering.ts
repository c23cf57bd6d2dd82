/** Holds everybody back until all have come: proof that they were there at the same time. */
export class Gathering {
  readonly #full: Promise<void>;
  #missing: number;
  #open: () => void = () => {};
  #fail: (cause: Error) => void = () => {};
  readonly #timer: ReturnType<typeof setTimeout>;

  /** Fails for everybody who waits when not all have come after `ms`. */
  constructor(size: number, ms: number) {
    this.#missing = size;
    this.#full = new Promise((resolve, reject) => {
      this.#open = resolve;
      this.#fail = reject;
    });
    // Whoever waits gets the failure; without anybody waiting it must not end the process.
    this.#full.catch(() => {});
    this.#timer = setTimeout(() => this.#fail(new Error(`${this.#missing} never came`)), ms);
  }

  /** Resolves when all have come. */
  arrive(): Promise<void> {
    this.#missing--;
    if (this.#missing === 0) {
      clearTimeout(this.#timer);
      this.#open();
    }
    return this.#full;
  }
}
