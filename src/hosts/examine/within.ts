/** Bounds of a check: how long it may take, how many run at a time. */

/** Something took longer than it may. */
export class TooLate extends Error {
  constructor(ms: number) {
    super(`no answer within ${ms / 1000} s`);
    this.name = "TooLate";
  }
}

export interface Bounds {
  /** Milliseconds. */
  readonly limitMs: number;
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
}

/**
 * Runs `work` with a signal that is aborted at the limit, or with the outer one.
 * @throws TooLate, the reason of the outer signal, or what `work` rejects with
 */
export async function within<Value>(
  { limitMs, signal: outer }: Bounds,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  outer.throwIfAborted();
  const inner = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = (reason: unknown) => {
    inner.abort(reason);
    reject(reason);
  };
  const abort = () => end(outer.reason);
  const timer = setTimeout(() => end(new TooLate(limitMs)), limitMs);
  outer.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work(inner.signal), ended]);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener("abort", abort);
  }
}

/**
 * Runs `work` for each item, some at a time; results in the order of the items. After a failure what is under way
 * goes on to its end.
 * @throws what `work` rejects with
 */
export async function someAtATime<Item, Result>(
  items: readonly Item[],
  most: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const left = items.entries();
  const worker = async () => {
    for (const [index, item] of left) results[index] = await work(item);
  };
  const workers = Array.from({ length: most }, worker);
  await Promise.allSettled(workers);
  await Promise.all(workers);
  return results;
}
