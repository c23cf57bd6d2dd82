import type {
  BucketLimit,
  BucketStatus,
  Decided,
  RateMirror,
  Taken,
} from "../../ports/rate_store.ts";

/** How long a bucket that is full again is shown to operators. */
const KEEP_MS = 5 * 60_000;
/** Buckets looked at for one that nobody misses, when there is no room. */
const LOOKS = 64;
/** Sums of fractions: less than this is no part of a call. */
const EPSILON = 1e-6;

export interface MemoryRateOptions {
  /** Buckets kept; 100,000 by default. */
  readonly maxBuckets?: number;
}

interface Bucket {
  readonly number: number;
  readonly key: string;
  limit: BucketLimit;
  used: number;
  rejected: number;
  at: number;
}

/**
 * Counts in this process. A bucket fills by the time that passed when it is looked at, without a timer.
 * Without room the oldest full bucket goes, which loses nothing; when dozens in a row are in use, one of them.
 */
export class MemoryRateStore implements RateMirror {
  readonly #max: number;
  readonly #buckets = new Map<string, Bucket>();
  /** Goes around the buckets, oldest first: a new search from the beginning would look at gaps. */
  #hand: Iterator<Bucket>;
  #made = 0;

  constructor({ maxBuckets = 100_000 }: MemoryRateOptions = {}) {
    this.#max = maxBuckets;
    this.#hand = this.#buckets.values();
  }

  get size(): number {
    return this.#buckets.size;
  }

  take(key: string, limit: BucketLimit, now: number): Taken {
    const bucket = this.#buckets.get(key) ?? this.#add(key, limit, now);
    const used = usedOf(bucket, now, limit.burst);
    const missing = used + 1 - limit.burst;
    const allowed = missing <= EPSILON;
    bucket.used = allowed ? used + 1 : used;
    bucket.limit = limit;
    bucket.at = now;
    if (allowed) return { allowed, retryAfterMs: 0, remaining: Math.floor(EPSILON - missing) };
    bucket.rejected++;
    return { allowed, retryAfterMs: waitOf(missing, limit), remaining: 0 };
  }

  note(key: string, limit: BucketLimit, now: number, { allowed, used }: Decided): void {
    const bucket = this.#buckets.get(key) ?? this.#add(key, limit, now);
    bucket.used = used;
    bucket.limit = limit;
    bucket.at = now;
    if (!allowed) bucket.rejected++;
  }

  *list(after: number, now: number): Generator<BucketStatus> {
    for (const bucket of this.#buckets.values()) {
      const { number, key, limit, rejected } = bucket;
      if (number <= after) continue;
      const used = usedOf(bucket, now, limit.burst);
      const missing = used + 1 - limit.burst;
      const nextMs = missing <= EPSILON ? 0 : waitOf(missing, limit);
      yield { number, key, limit, used, rejected, nextMs };
    }
  }

  sweep(now: number): void {
    for (const bucket of this.#buckets.values()) {
      if (now - bucket.at >= KEEP_MS && isFull(bucket, now)) this.#buckets.delete(bucket.key);
    }
  }

  #add(key: string, limit: BucketLimit, now: number): Bucket {
    if (this.#buckets.size >= this.#max) this.#makeRoom(now);
    const bucket = { number: ++this.#made, key, limit, used: 0, rejected: 0, at: now };
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #makeRoom(now: number): void {
    let bucket = this.#next();
    for (let looks = 1; looks < LOOKS && !isFull(bucket, now); looks++) bucket = this.#next();
    this.#buckets.delete(bucket.key);
  }

  /** The bucket after the one looked at last; after the newest comes the oldest. There is one. */
  #next(): Bucket {
    const { value } = this.#hand.next();
    if (value !== undefined) return value as Bucket;
    this.#hand = this.#buckets.values();
    return this.#hand.next().value as Bucket;
  }
}

function usedOf({ used, limit, at }: Bucket, now: number, burst: number): number {
  // What has passed counts by the limit it passed under.
  const left = used - (now - at) * limit.count / limit.perMs;
  return left < 0 ? 0 : Math.min(left, burst);
}

function isFull(bucket: Bucket, now: number): boolean {
  return usedOf(bucket, now, bucket.limit.burst) <= EPSILON;
}

function waitOf(missing: number, { count, perMs }: BucketLimit): number {
  return Math.max(1, Math.ceil(missing * perMs / count));
}
