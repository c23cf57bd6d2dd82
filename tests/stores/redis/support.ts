/** Redis as tests look at it: the store, and a client of its own beside it. */
import { SystemClock } from "../../../src/hosts/clock.ts";
import { systemRandom } from "../../../src/hosts/random.ts";
import type { ReplicaFollower, Replicas, SharedEntry } from "../../../src/ports/replicas.ts";
import { type Client, newClient } from "../../../src/stores/redis/client.ts";
import { openRedisReplicas } from "../../../src/stores/redis/replicas.ts";

export const PREFIX = "mcp-sentinel:v1:test";

export function open(url: string, gateway = "test"): Promise<Replicas> {
  return openRedisReplicas({ url, gateway, clock: new SystemClock(), random: systemRandom });
}

export async function connect(url: string): Promise<Client> {
  const client = newClient(url, 5000);
  await client.connect();
  return client;
}

/** Writes down what it is told. */
export class Notes implements ReplicaFollower {
  readonly tables: (readonly SharedEntry[])[] = [];
  readonly entries: SharedEntry[] = [];
  readonly healths: (string | undefined)[] = [];
  readonly risks: string[] = [];

  table(entries: readonly SharedEntry[]): void {
    this.tables.push(entries);
  }

  entry(entry: SharedEntry): void {
    this.entries.push(entry);
  }

  health(failure: string | undefined): void {
    this.healths.push(failure);
  }

  unsafe(reason: string): void {
    this.risks.push(reason);
  }
}

/** A stamp of the n-th millisecond. */
export function stamp(time: number, instance = "0123456789ab"): string {
  return `${String(time).padStart(15, "0")}-${instance}`;
}
