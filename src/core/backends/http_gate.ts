/** Keeps messages back, in order, while another one has to arrive first. */

/** Messages that may wait; beyond it, requests are refused. */
const MAX_HELD = 1024;

interface Held {
  readonly text: string;
  readonly request: number | undefined;
}

export class HttpGate {
  readonly #pass: (text: string, request: number | undefined) => void;
  readonly #refuse: (request: number | undefined) => void;
  #held: Held[] | undefined;

  /** `refuse` is told of messages that found no room. */
  constructor(
    pass: (text: string, request: number | undefined) => void,
    refuse: (request: number | undefined) => void,
  ) {
    this.#pass = pass;
    this.#refuse = refuse;
  }

  send(text: string, request: number | undefined): void {
    if (this.#held === undefined) return this.#pass(text, request);
    if (this.#held.length >= MAX_HELD) return this.#refuse(request);
    this.#held.push({ text, request });
  }

  hold(): void {
    this.#held ??= [];
  }

  /** Lets everything that waits pass, and what comes later. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    // A message that passes may shut the gate again for those behind it.
    for (const { text, request } of held) this.send(text, request);
  }

  forget(request: number): void {
    this.#held = this.#held?.filter((held) => held.request !== request);
  }
}
