/** Which calls are slower than 99 of 100 of their kind, as far as the last ones tell. */

/** Kinds that are told apart; the one that was not seen for longest is forgotten first. */
const MAX_KINDS = 1000;
/** Durations are told apart by a fifth, from this many milliseconds on. */
const LEAST = 0.05;
const STEP = Math.log(1.2);
const STEPS = 112;
/** With fewer durations nothing counts as slow. */
const ENOUGH = 100;
/** With so many, all count half: what was long ago matters less and less. */
const FULL = 2000;
/** Share that is not slow. */
const USUAL = 0.99;

export class Slowness {
  readonly #kinds = new Map<string, Durations>();

  /** Takes the duration in milliseconds; true when it is slow for its kind. */
  isSlow(kind: string, ms: number): boolean {
    const durations = this.#kinds.get(kind) ?? new Durations();
    this.#kinds.delete(kind);
    this.#kinds.set(kind, durations);
    if (this.#kinds.size > MAX_KINDS) {
      const [oldest] = this.#kinds.keys();
      if (oldest !== undefined) this.#kinds.delete(oldest);
    }
    return durations.isSlow(ms);
  }
}

class Durations {
  readonly #counts = new Uint16Array(STEPS);
  #total = 0;

  isSlow(ms: number): boolean {
    const step = stepOf(ms);
    const isSlow = this.#total >= ENOUGH && step > this.#usual();
    this.#counts[step] = (this.#counts[step] ?? 0) + 1;
    this.#total++;
    if (this.#total >= FULL) this.#halve();
    return isSlow;
  }

  /** The step within which the usual share ends. */
  #usual(): number {
    let more = this.#total * (1 - USUAL);
    let step = STEPS - 1;
    while (step > 0) {
      more -= this.#counts[step] ?? 0;
      if (more < 0) return step;
      step--;
    }
    return 0;
  }

  #halve(): void {
    this.#total = 0;
    for (const [step, count] of this.#counts.entries()) {
      this.#counts[step] = count >> 1;
      this.#total += count >> 1;
    }
  }
}

function stepOf(ms: number): number {
  if (!(ms > LEAST)) return 0;
  return Math.min(STEPS - 1, Math.ceil(Math.log(ms / LEAST) / STEP));
}
