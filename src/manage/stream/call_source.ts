/** Calls as they end: nothing is kept, so a reader has a bounded queue. */
import type { CallRecord } from "../../contract/manage/mod.ts";
import type { Control } from "../../core/mod.ts";
import type { Cancel } from "../../ports/clock.ts";
import { frame, type Source } from "./source.ts";

/** Calls that wait for a reader. */
const MAX_QUEUE = 1000;
const BATCH = 500;

export class CallSource implements Source {
  readonly #control: Control;
  readonly #matches: (call: CallRecord) => boolean;
  #queue: CallRecord[] = [];
  #lost = 0;
  #cancel: Cancel | undefined;

  constructor(control: Control, matches: (call: CallRecord) => boolean) {
    this.#control = control;
    this.#matches = matches;
  }

  get isWaiting(): boolean {
    return this.#queue.length > 0;
  }

  get lost(): number {
    return this.#lost;
  }

  /** After an overflow the queue is the rest. */
  get isOver(): boolean {
    return this.#lost > 0 && this.#queue.length === 0;
  }

  next(): Promise<string | undefined> {
    const batch = this.#queue.splice(0, BATCH);
    const frames = batch.map((call) => frame("call", call)).join("");
    return Promise.resolve(frames === "" ? undefined : frames);
  }

  beat(): string {
    return ": heartbeat\n\n";
  }

  watch(look: () => void): void {
    this.#cancel = this.#control.onCall((call) => {
      if (!this.#matches(call)) return;
      if (this.#lost > 0 || this.#queue.length >= MAX_QUEUE) this.#lost++;
      else this.#queue.push(call);
      look();
    });
  }

  close(): void {
    this.#cancel?.();
    this.#lost += this.#queue.length;
    this.#queue = [];
  }
}
