/** What replicas share, for a gateway that lives for one request: the table is read before it is made. */
import type { Cancel } from "../../ports/clock.ts";
import type { BucketLimit } from "../../ports/rate_store.ts";
import type { ReplicaFollower, Replicas, SharedEntry, SharedTaken } from "../../ports/replicas.ts";
import type { Server } from "./commands.ts";
import { entriesOf, messageOf, takenOf, writtenValue } from "./forms.ts";
import type { Keys } from "./keys.ts";
import { FORGET, MAX_BYTES, MAX_ENTRIES, READ, TAKE, WRITE } from "./script.ts";

/** The kill switches as they were read, and the monotonic time of that. */
export interface SharedTable {
  readonly entries: readonly SharedEntry[];
  readonly at: number;
}

export class HttpReplicas implements Replicas {
  readonly kind = "redis";
  readonly #server: Server;
  readonly #keys: Keys;
  readonly #table: readonly SharedEntry[] | undefined;

  /** @param table as last read; undefined: it could not be read */
  constructor(server: Server, keys: Keys, table: readonly SharedEntry[] | undefined) {
    this.#server = server;
    this.#keys = keys;
    this.#table = table;
  }

  get failure(): string | undefined {
    return this.#server.failure;
  }

  async take(key: string, { count, perMs, burst }: BucketLimit): Promise<SharedTaken> {
    const args = [String(count), String(perMs), String(burst)];
    return await this.#server.use(async (server) =>
      takenOf(await server.script(TAKE, this.#keys.bucket(key), args))
    );
  }

  async write(entries: readonly SharedEntry[]): Promise<void> {
    const { switches, channel } = this.#keys;
    const args = entries.flatMap((entry) => [entry.key, writtenValue(entry), messageOf(entry)]);
    await this.#server.use((server) =>
      server.script(WRITE, switches, [channel, String(MAX_ENTRIES), ...args])
    );
  }

  async forget(entries: readonly SharedEntry[]): Promise<void> {
    const args = entries.flatMap(({ key, stamp }) => [key, stamp]);
    await this.#server.use((server) => server.script(FORGET, this.#keys.switches, args));
  }

  follow(follower: ReplicaFollower): Cancel {
    follower.health(this.failure);
    if (this.#table !== undefined) follower.table(this.#table);
    return () => {};
  }

  close(): void {}
}

/** Reads the kill switches of all replicas. @throws Error when they cannot be read */
export async function readTable(server: Server, keys: Keys): Promise<readonly SharedEntry[]> {
  const bounds = [String(MAX_ENTRIES), String(MAX_BYTES)];
  return entriesOf(await server.use((commands) => commands.script(READ, keys.switches, bounds)));
}
