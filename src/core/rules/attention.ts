/** Whether somebody still waits for what an interceptor says. */
import type { Cancel, Clock } from "../../ports/clock.ts";

/** How a wait ended: with a value, with a failure, too late, or nobody waits any more. */
export type Waited<Value> =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "failed"; readonly cause: unknown }
  | { readonly kind: "late" }
  | { readonly kind: "gone" };

/** Registers the one thing to do when the client cancels or the backend withdraws. */
export type OnGone = (stop: () => void) => void;

export class Attention {
  readonly #onGone: OnGone;
  readonly #clock: Clock;
  #controller: AbortController | undefined = undefined;

  constructor(onGone: OnGone, clock: Clock) {
    this.#onGone = onGone;
    this.#clock = clock;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** Waits at most `limitMs`, without it as long as somebody wants to know. Never rejects. */
  wait<Value>(work: PromiseLike<Value>, limitMs: number | undefined): Promise<Waited<Value>> {
    return new Promise((resolve) => {
      let cancel: Cancel = () => {};
      const end = (waited: Waited<Value>) => {
        cancel();
        resolve(waited);
      };
      const abandon = (kind: "late" | "gone") => {
        end({ kind });
        this.#controller?.abort(kind);
      };
      if (limitMs !== undefined) cancel = this.#clock.after(limitMs, () => abandon("late"));
      this.#onGone(() => abandon("gone"));
      work.then(
        (value) => end({ kind: "value", value }),
        (cause: unknown) => end({ kind: "failed", cause }),
      );
    });
  }
}
