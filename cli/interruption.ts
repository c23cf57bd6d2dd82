/** Ctrl-C for commands that go on until then. */
import type { Io } from "./io.ts";

export interface Interruption {
  readonly signal: AbortSignal;
  /** Resolves after `ms`, or when interrupted. */
  rest(ms: number): Promise<void>;
  /** Gives Ctrl-C back. */
  end(): void;
}

/** The first Ctrl-C aborts the signal; a second one ends the process as usual. */
export function interruption(
  { clock, onInterrupt }: Pick<Io, "clock" | "onInterrupt">,
): Interruption {
  const controller = new AbortController();
  const { signal } = controller;
  const forget = onInterrupt(() => controller.abort());
  return {
    signal,
    rest: (ms) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const done = () => {
          cancel();
          signal.removeEventListener("abort", done);
          resolve();
        };
        const cancel = clock.after(ms, done);
        signal.addEventListener("abort", done);
      }),
    end: forget,
  };
}
