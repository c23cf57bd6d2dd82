import type { Cancel } from "./clock.ts";

/** One message from another replica; never one of our own. */
export interface BusMessage {
  /** Instance that sent it. */
  readonly from: string;
  readonly text: string;
}

/**
 * Messages between the replicas of a gateway. At most once: what cannot be delivered now is lost, and who waits
 * for an answer has a deadline of its own.
 */
export interface Bus {
  /** Why it cannot be used now; undefined while it can. */
  readonly failure: string | undefined;
  /** To one replica. Resolves with false when nobody of that name listens. Rejects when it cannot be used. */
  send(to: string, text: string): Promise<boolean>;
  /** To all others. Rejects when it cannot be used. */
  broadcast(text: string): Promise<void>;
  /** Whether a replica has given a sign of life within the last 5 seconds. Rejects when it cannot be used. */
  isAlive(instance: string): Promise<boolean>;
  /** One follower at a time. `take` must not throw. */
  follow(take: (message: BusMessage) => void): Cancel;
  close(): void;
}
