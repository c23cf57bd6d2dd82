import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { BucketLimit } from "../../ports/rate_store.ts";
import type { ReplicaFollower, Replicas, SharedEntry, SharedTaken } from "../../ports/replicas.ts";
import type { Connection } from "./connection.ts";
import { sha256 } from "./digest.ts";
import { entriesOf, messageOf, spokenEntry, takenOf, writtenValue } from "./forms.ts";
import { KeptConnection } from "./kept_connection.ts";
import { type Keys, keysOf } from "./keys.ts";
import { FORGET, MAX_BYTES, MAX_ENTRIES, READ, TAKE, WRITE } from "./script.ts";
import { risksOf } from "./risks.ts";

/** Between two looks at the table: what a lost message left out comes then. */
const REFRESH_MS = 5000;
/** Entries told in one go: a script keeps everybody else waiting. */
const BATCH = 200;

export interface RedisOptions {
  readonly url: string;
  /** Name of the gateway: its replicas have the same. */
  readonly gateway: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** Begins to connect; resolves when it can be used or the first attempt has failed, after two seconds at most. */
export async function openRedisReplicas(options: RedisOptions): Promise<Replicas> {
  const replicas = new RedisReplicas(options);
  await replicas.start();
  return replicas;
}

class RedisReplicas implements Replicas {
  readonly kind = "redis";
  readonly #keys: Keys;
  readonly #endRefresh: Cancel;
  readonly #connection: KeptConnection;
  #follower: ReplicaFollower | undefined;
  /** What a follower that comes later has missed. */
  #table: readonly SharedEntry[] | undefined;
  #risks: readonly string[] = [];
  #isRefreshing = false;

  constructor(options: RedisOptions) {
    this.#keys = keysOf(options.gateway, options.url, sha256);
    this.#connection = new KeptConnection({
      ...options,
      prepare: (connection) => this.#prepare(connection),
      up: () => this.#up(),
      down: (reason) => this.#follower?.health(reason),
      // A full table concerns nothing else.
      isHarmless: isFull,
    });
    this.#endRefresh = options.clock.every(REFRESH_MS, () => void this.#refresh());
  }

  get failure(): string | undefined {
    return this.#connection.failure;
  }

  start(): Promise<void> {
    return this.#connection.start();
  }

  async take(key: string, { count, perMs, burst }: BucketLimit): Promise<SharedTaken> {
    const args = [String(count), String(perMs), String(burst)];
    return await this.#connection.use(async (connection) =>
      takenOf(await connection.script(TAKE, this.#keys.bucket(key), args))
    );
  }

  async write(entries: readonly SharedEntry[]): Promise<void> {
    const { switches, channel } = this.#keys;
    for (let from = 0; from < entries.length; from += BATCH) {
      const args = entries.slice(from, from + BATCH)
        .flatMap((entry) => [entry.key, writtenValue(entry), messageOf(entry)]);
      await this.#connection.use((connection) =>
        connection.script(WRITE, switches, [channel, String(MAX_ENTRIES), ...args])
      );
    }
  }

  async forget(entries: readonly SharedEntry[]): Promise<void> {
    for (let from = 0; from < entries.length; from += BATCH) {
      const args = entries.slice(from, from + BATCH).flatMap(({ key, stamp }) => [key, stamp]);
      await this.#connection.use((connection) =>
        connection.script(FORGET, this.#keys.switches, args)
      );
    }
  }

  follow(follower: ReplicaFollower): Cancel {
    this.#follower = follower;
    follower.health(this.failure);
    for (const risk of this.#risks) follower.unsafe(risk);
    if (this.#table !== undefined) follower.table(this.#table);
    return () => {
      if (this.#follower === follower) this.#follower = undefined;
    };
  }

  close(): void {
    this.#follower = undefined;
    this.#endRefresh();
    this.#connection.close();
  }

  /** Everything that has to work before it counts as usable: writing, hearing, reading. */
  async #prepare(connection: Connection): Promise<void> {
    const { probe, channel } = this.#keys;
    await connection.run(["SET", probe, "1", "PX", "60000"]);
    // Known before it is needed, so that a call waits for one answer.
    await connection.run(["SCRIPT", "LOAD", TAKE.text]);
    // Heard first, so that nothing falls between.
    await connection.subscribe(channel, (message) => this.#hear(message));
    this.#table = await this.#read(connection);
    this.#risks = await risksOf(connection);
  }

  #up(): void {
    this.#follower?.health(undefined);
    for (const risk of this.#risks) this.#follower?.unsafe(risk);
    if (this.#table !== undefined) this.#follower?.table(this.#table);
  }

  async #refresh(): Promise<void> {
    if (!this.#connection.isUp || this.#isRefreshing) return;
    this.#isRefreshing = true;
    try {
      const table = await this.#connection.use((connection) => this.#read(connection));
      this.#table = table;
      this.#follower?.table(table);
    } catch {
      // It is down now, which is told.
    } finally {
      this.#isRefreshing = false;
    }
  }

  async #read(connection: Connection): Promise<readonly SharedEntry[]> {
    const bounds = [String(MAX_ENTRIES), String(MAX_BYTES)];
    return entriesOf(await connection.script(READ, this.#keys.switches, bounds));
  }

  #hear(message: string): void {
    const entry = message.length > 3 * MAX_BYTES ? undefined : spokenEntry(message);
    if (entry !== undefined) this.#follower?.entry(entry);
  }
}

function isFull(cause: unknown): boolean {
  return cause instanceof Error && cause.message.startsWith("FULL ");
}
