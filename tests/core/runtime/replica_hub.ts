/** A server in memory where replicas meet, with everything that can go wrong on the way. */
import type { Cancel } from "../../../src/ports/clock.ts";
import type { BucketLimit } from "../../../src/ports/rate_store.ts";
import type {
  ReplicaFollower,
  Replicas,
  SharedEntry,
  SharedTaken,
} from "../../../src/ports/replicas.ts";

export class ReplicaHub {
  readonly table = new Map<string, SharedEntry>();
  readonly members: HubMember[] = [];

  join(failure?: string): HubMember {
    const member = new HubMember(this, failure);
    this.members.push(member);
    return member;
  }

  /** The whole table to everybody who is there, as every few seconds. */
  refresh(): void {
    for (const member of this.members) member.refresh();
  }
}

export class HubMember implements Replicas {
  readonly kind = "redis";
  failure: string | undefined;
  /** Messages to it are lost; the table still comes. */
  isDeaf = false;
  /** What `take` gives; without it it fails. */
  answer: ((key: string, limit: BucketLimit) => Promise<SharedTaken>) | undefined;
  readonly #hub: ReplicaHub;
  #follower: ReplicaFollower | undefined;

  constructor(hub: ReplicaHub, failure: string | undefined) {
    this.#hub = hub;
    this.failure = failure;
  }

  take(key: string, limit: BucketLimit): Promise<SharedTaken> {
    return this.answer?.(key, limit) ?? Promise.reject(new Error("gone"));
  }

  write(entries: readonly SharedEntry[]): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(new Error(this.failure));
    for (const entry of entries) {
      const known = this.#hub.table.get(entry.key);
      if (known !== undefined && known.stamp >= entry.stamp) continue;
      this.#hub.table.set(entry.key, entry);
      for (const member of this.#hub.members) member.hear(entry);
    }
    return Promise.resolve();
  }

  forget(entries: readonly SharedEntry[]): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(new Error(this.failure));
    for (const { key, stamp } of entries) {
      if (this.#hub.table.get(key)?.stamp === stamp) this.#hub.table.delete(key);
    }
    return Promise.resolve();
  }

  follow(follower: ReplicaFollower): Cancel {
    this.#follower = follower;
    follower.health(this.failure);
    this.refresh();
    return () => void (this.#follower = undefined);
  }

  close(): void {}

  cut(why = "gone"): void {
    this.failure = why;
    this.#follower?.health(why);
  }

  heal(): void {
    this.failure = undefined;
    this.#follower?.health(undefined);
    this.refresh();
  }

  refresh(): void {
    if (this.failure === undefined) this.#follower?.table([...this.#hub.table.values()]);
  }

  hear(entry: SharedEntry): void {
    if (this.failure === undefined && !this.isDeaf) this.#follower?.entry(entry);
  }

  warn(reason: string): void {
    this.#follower?.unsafe(reason);
  }
}
