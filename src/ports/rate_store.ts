import type { Rate } from "../contract/units.ts";

/** How many calls may come: at once `burst`, and one more each time the rate gives one back. */
export interface BucketLimit extends Rate {
  /** Whole calls, at least 1. */
  readonly burst: number;
}

/** What asking for one call gave. */
export interface Taken {
  readonly allowed: boolean;
  /** Whole milliseconds after which a call is allowed, when nobody takes it before; 0 when allowed. */
  readonly retryAfterMs: number;
  /** Whole calls that may still come at once. */
  readonly remaining: number;
}

/** One bucket as operators see it. */
export interface BucketStatus {
  /** Counts buckets; one that is made later has a higher one. */
  readonly number: number;
  readonly key: string;
  /** That of the last call. */
  readonly limit: BucketLimit;
  /** Calls that the rate has not given back yet, from 0 to `burst`. */
  readonly used: number;
  /** Calls refused since the bucket was made. */
  readonly rejected: number;
  /** Whole milliseconds until a call is allowed; 0: now. */
  readonly nextMs: number;
}

/**
 * Buckets of tokens by key. Time is monotonic milliseconds, so that a
 * wall clock that is set changes no decision.
 */
export interface RateStore {
  /**
   * Takes one call from a bucket; a refusal takes nothing. The limit may be another one than last time:
   * what was used stays used. A promise only where the store is not in this process.
   */
  take(key: string, limit: BucketLimit, now: number): Taken | Promise<Taken>;
  /** Buckets made after the one with this number, oldest first. */
  list(after: number, now: number): Iterable<BucketStatus>;
  /** Forgets buckets that have been full for a while. */
  sweep(now: number): void;
}

/** A store of this process that also follows what a shared one decides, to go on from there without it. */
export interface RateMirror extends RateStore {
  /** One call was decided elsewhere; `used` as in `BucketStatus`, after it. */
  note(key: string, limit: BucketLimit, now: number, decided: Decided): void;
}

/** What a shared store decided. */
export interface Decided {
  readonly allowed: boolean;
  readonly used: number;
}
