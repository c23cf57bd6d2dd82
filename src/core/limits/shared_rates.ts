import type { Clock } from "../../ports/clock.ts";
import type {
  BucketLimit,
  BucketStatus,
  RateMirror,
  RateStore,
  Taken,
} from "../../ports/rate_store.ts";
import type { Replicas } from "../../ports/replicas.ts";

export interface SharedRatesPorts {
  readonly replicas: Pick<Replicas, "failure" | "take">;
  /** Follows what is decided, and decides alone while the replicas cannot be asked. */
  readonly rates: RateMirror;
  readonly clock: Clock;
}

/**
 * Buckets that replicas share. While the server is away each replica goes on by itself, from what it knew: a
 * caller then has at most the limit of one replica at each of them. Operators see the buckets this replica has
 * asked for, as they were when it did.
 */
export class SharedRates implements RateStore {
  readonly #ports: SharedRatesPorts;

  constructor(ports: SharedRatesPorts) {
    this.#ports = ports;
  }

  take(key: string, limit: BucketLimit, now: number): Taken | Promise<Taken> {
    const { replicas, rates } = this.#ports;
    return replicas.failure === undefined ? this.#ask(key, limit) : rates.take(key, limit, now);
  }

  list(after: number, now: number): Iterable<BucketStatus> {
    return this.#ports.rates.list(after, now);
  }

  sweep(now: number): void {
    this.#ports.rates.sweep(now);
  }

  async #ask(key: string, limit: BucketLimit): Promise<Taken> {
    const { replicas, rates, clock } = this.#ports;
    try {
      const taken = await replicas.take(key, limit);
      rates.note(key, limit, clock.monotonic(), taken);
      return taken;
    } catch {
      // Why is told by the health of the replicas, once.
      return rates.take(key, limit, clock.monotonic());
    }
  }
}
