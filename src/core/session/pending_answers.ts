/** Answers that are not given yet and have no stream, and the signs of life they need. */

/** The first sign begins a stream, after which the answer is no HTTP status any more. */
export interface PendingAnswer {
  beat(): void;
}

export class PendingAnswers {
  /** Came since the last sweep. */
  #young = new Set<PendingAnswer>();
  /** Were there at the last sweep: the next one is the first sign of life of those that are left. */
  #waiting = new Set<PendingAnswer>();
  readonly #begun = new Set<PendingAnswer>();

  add(answer: PendingAnswer): void {
    this.#young.add(answer);
  }

  /** It is given, or nobody waits for it. */
  delete(answer: PendingAnswer): void {
    if (this.#young.delete(answer) || this.#waiting.delete(answer)) return;
    this.#begun.delete(answer);
  }

  /** @param isBeat whether streams that have begun need a sign of life again */
  sweep(isBeat: boolean): void {
    if (isBeat) { for (const answer of this.#begun) answer.beat(); }
    const due = this.#waiting;
    this.#waiting = this.#young;
    this.#young = new Set();
    // One that needs no further signs leaves at its first.
    for (const answer of due) {
      this.#begun.add(answer);
      answer.beat();
    }
  }
}
