/** Keeps messages back, in order, while another one has to arrive first. */
import type { MessageHeaders } from "./wire.ts";

/** Messages that may wait; beyond it, requests are refused. */
const MAX_HELD = 1024;

/** One message on its way to `Wire.send`. */
interface Held {
  readonly text: string;
  readonly request: number | undefined;
  readonly headers: MessageHeaders | undefined;
}

type Pass = (text: string, request: number | undefined, headers?: MessageHeaders) => void;

export class HttpGate {
  readonly #pass: Pass;
  readonly #refuse: (request: number | undefined) => void;
  #held: Held[] | undefined;

  /** `refuse` is told of messages that found no room. */
  constructor(
    pass: Pass,
    refuse: (request: number | undefined) => void,
  ) {
    this.#pass = pass;
    this.#refuse = refuse;
  }

  send(text: string, request: number | undefined, headers?: MessageHeaders): void {
    if (this.#held === undefined) return this.#pass(text, request, headers);
    if (this.#held.length >= MAX_HELD) return this.#refuse(request);
    this.#held.push({ text, request, headers });
  }

  hold(): void {
    this.#held ??= [];
  }

  /** Lets everything that waits pass, and what comes later. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    // A message that passes may shut the gate again for those behind it.
    for (const { text, request, headers } of held) this.send(text, request, headers);
  }

  forget(request: number): void {
    this.#held = this.#held?.filter((held) => held.request !== request);
  }
}
