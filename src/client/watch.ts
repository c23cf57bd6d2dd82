import type { ClientClock } from "./options.ts";

/** An abort signal that follows another one and ends when time is over. One timer at most. */
export class Watch {
  readonly #clock: ClientClock;
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  #cancel: (() => void) | undefined;

  constructor(clock: ClientClock, outer: AbortSignal | undefined) {
    this.#clock = clock;
    this.#outer = outer;
    if (outer?.aborted === true) this.#follow();
    else outer?.addEventListener("abort", this.#follow);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Aborts with `reason()` after `ms`, unless this or `calm` is called before. */
  within(ms: number, reason: () => unknown): void {
    this.calm();
    this.#cancel = this.#clock.after(ms, () => this.#controller.abort(reason()));
  }

  calm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Aborts what is still under way; frees timer and listener. */
  end(): void {
    this.calm();
    this.#outer?.removeEventListener("abort", this.#follow);
    this.#controller.abort();
  }

  readonly #follow = (): void => this.#controller.abort(this.#outer?.reason);
}

/** Settles as `work` does, or rejects with the signal's reason at once when that is aborted. */
export function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise, resolve, reject } = Promise.withResolvers<Value>();
  const stop = () => reject(signal.reason as Error);
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop);
  void work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  return promise;
}

/** Resolves when the signal is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (!signal.aborted) await promise;
}
