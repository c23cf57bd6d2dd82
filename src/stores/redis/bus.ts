import type { Bus, BusMessage } from "../../ports/bus.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import { spokenMessage, writtenMessage } from "./bus_forms.ts";
import type { Connection } from "./connection.ts";
import { KeptConnection } from "./kept_connection.ts";
import { sha256 } from "./digest.ts";
import { type BusKeys, busKeysOf } from "./keys.ts";

/** Between two signs of life. */
const SIGN_MS = 1000;
/** How long a sign of life is one. */
const ALIVE_MS = 5000;
/** Bytes of one message. */
const MAX_BYTES = 8 * 1024 * 1024;

export interface RedisBusOptions {
  readonly url: string;
  /** Name of the gateway: its replicas have the same. */
  readonly gateway: string;
  /** Name of this replica. */
  readonly instance: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** Begins to connect; resolves when it can be used or the first attempt has failed, after two seconds at most. */
export async function openRedisBus(options: RedisBusOptions): Promise<Bus> {
  const bus = new RedisBus(options);
  await bus.start();
  return bus;
}

class RedisBus implements Bus {
  readonly #options: RedisBusOptions;
  readonly #keys: BusKeys;
  readonly #endSigns: Cancel;
  readonly #connection: KeptConnection;
  #take: ((message: BusMessage) => void) | undefined;

  constructor(options: RedisBusOptions) {
    this.#options = options;
    this.#keys = busKeysOf(options.gateway, options.url, sha256);
    this.#connection = new KeptConnection({
      ...options,
      prepare: (connection) => this.#prepare(connection),
      isHarmless: () => false,
    });
    this.#endSigns = options.clock.every(SIGN_MS, () => void this.#sign());
  }

  get failure(): string | undefined {
    return this.#connection.failure;
  }

  start(): Promise<void> {
    return this.#connection.start();
  }

  async send(to: string, text: string): Promise<boolean> {
    return await this.#publish(this.#keys.channelOf(to), text) > 0;
  }

  async broadcast(text: string): Promise<void> {
    await this.#publish(this.#keys.everybody, text);
  }

  async isAlive(instance: string): Promise<boolean> {
    return Number(await this.#run(["EXISTS", this.#keys.signOf(instance)])) > 0;
  }

  follow(take: (message: BusMessage) => void): Cancel {
    this.#take = take;
    return () => {
      if (this.#take === take) this.#take = undefined;
    };
  }

  close(): void {
    this.#take = undefined;
    this.#endSigns();
    // The others need not wait until the sign of life has gone by itself.
    const sign = this.#keys.signOf(this.#options.instance);
    this.#connection.close((connection) => connection.run(["DEL", sign]));
  }

  /** Everything that has to work before it counts as usable: hearing, then being seen. */
  async #prepare(connection: Connection): Promise<void> {
    const { instance } = this.#options;
    const hear = (message: string) => this.#hear(message);
    await connection.subscribe(this.#keys.channelOf(instance), hear);
    await connection.subscribe(this.#keys.everybody, hear);
    await connection.run(this.#signing());
  }

  async #publish(channel: string, text: string): Promise<number> {
    const message = writtenMessage(this.#options.instance, text);
    // Three bytes a character at most.
    if (message.length > MAX_BYTES / 3 && new TextEncoder().encode(message).length > MAX_BYTES) {
      throw new Error(`the message is longer than ${MAX_BYTES} bytes`);
    }
    return Number(await this.#run(["PUBLISH", channel, message]));
  }

  #run(args: readonly string[]): Promise<unknown> {
    return this.#connection.use((connection) => connection.run(args));
  }

  #signing(): string[] {
    return ["SET", this.#keys.signOf(this.#options.instance), "1", "PX", String(ALIVE_MS)];
  }

  async #sign(): Promise<void> {
    if (!this.#connection.isUp) return;
    // That it is down is told by `failure`.
    await this.#run(this.#signing()).catch(() => {});
  }

  #hear(text: string): void {
    const message = text.length > MAX_BYTES ? undefined : spokenMessage(text);
    if (message !== undefined && message.from !== this.#options.instance) this.#take?.(message);
  }
}
