import type { Cancel } from "./clock.ts";
import type { BucketLimit, Taken } from "./rate_store.ts";

/** What a shared bucket answers. */
export interface SharedTaken extends Taken {
  /** Calls of all replicas that the rate has not given back yet, this one included when it is allowed. */
  readonly used: number;
}

/** One row of the table that all replicas hold. */
export interface SharedEntry {
  readonly key: string;
  /**
   * 15 decimal digits, `-`, 12 hexadecimal digits. Of two entries with one key the one with the greater stamp
   * stays, wherever they meet.
   */
  readonly stamp: string;
  readonly value: string;
}

/** Who is told what the other replicas do. None of these may throw. */
export interface ReplicaFollower {
  /** The whole table: at every connection, then every few seconds. What it holds is not checked. */
  table(entries: readonly SharedEntry[]): void;
  /** An entry that a replica, perhaps this one, has just written. Not checked either. */
  entry(entry: SharedEntry): void;
  /** It can be used (undefined), or why not. Told when it changes. */
  health(failure: string | undefined): void;
  /** The server is set up so that it may lose what it is given; in words. */
  unsafe(reason: string): void;
}

/**
 * What the replicas of a gateway share through a server that may be slow, gone, or empty again. Nothing waits
 * for it longer than its bound (250 ms), and nothing is queued for a server that is away.
 */
export interface Replicas {
  /** For the status: `redis`. */
  readonly kind: "redis";
  /** Why it cannot be used now; undefined while it can. */
  readonly failure: string | undefined;
  /**
   * Takes one call from a bucket, as a `RateStore` does, by the clock of the server. Rejects when it cannot be
   * used: the bucket may have been taken from nevertheless.
   */
  take(key: string, limit: BucketLimit): Promise<SharedTaken>;
  /** Stores entries that are newer than those in the table, and tells all replicas. Rejects when it cannot. */
  write(entries: readonly SharedEntry[]): Promise<void>;
  /** Removes these very entries; one that has changed meanwhile stays. Rejects when it cannot. */
  forget(entries: readonly SharedEntry[]): Promise<void>;
  /** One follower at a time; it is told at once what is known already. */
  follow(follower: ReplicaFollower): Cancel;
  close(): void;
}
