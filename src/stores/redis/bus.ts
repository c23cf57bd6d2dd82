import type { Bus, BusMessage } from "../../ports/bus.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import { Backoff } from "./backoff.ts";
import { spokenMessage, writtenMessage } from "./bus_forms.ts";
import { Connection, reasonOf } from "./connection.ts";
import { type BusKeys, busKeysOf } from "./keys.ts";

/** Between two signs of life. */
const SIGN_MS = 1000;
/** How long a sign of life is one. */
const ALIVE_MS = 5000;
/** How long the start waits for the first connection. */
const FIRST_MS = 2000;
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
  const late = Promise.withResolvers<void>();
  const cancel = options.clock.after(FIRST_MS, late.resolve);
  await Promise.race([bus.connect(), late.promise]);
  cancel();
  return bus;
}

class RedisBus implements Bus {
  readonly #options: RedisBusOptions;
  readonly #keys: BusKeys;
  readonly #backoff: Backoff;
  readonly #endSigns: Cancel;
  #connection: Connection | undefined;
  #failure: string | undefined = "it is not connected yet";
  #take: ((message: BusMessage) => void) | undefined;
  #cancelRetry: Cancel = () => {};
  #isClosed = false;

  constructor(options: RedisBusOptions) {
    this.#options = options;
    this.#keys = busKeysOf(options.gateway, options.url);
    this.#backoff = new Backoff(options.clock, options.random);
    this.#endSigns = options.clock.every(SIGN_MS, () => void this.#sign());
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  /** One attempt; the next ones follow by themselves. Never rejects. */
  async connect(): Promise<void> {
    let opened: Connection | undefined;
    let lostEarly: string | undefined;
    try {
      const connection = await Connection.open({
        ...this.#options,
        lost: (reason) => {
          if (this.#connection === connection) this.#down(reason);
          else lostEarly = reason;
        },
      });
      opened = connection;
      await this.#prepare(connection);
      if (lostEarly !== undefined) throw new Error(lostEarly);
      this.#up(connection);
    } catch (cause) {
      opened?.drop("it is not used");
      this.#down(reasonOf(cause));
    }
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
    this.#isClosed = true;
    this.#take = undefined;
    this.#endSigns();
    this.#cancelRetry();
    // The others need not wait until the sign of life has gone by itself.
    const connection = this.#connection;
    connection?.run(["DEL", this.#keys.signOf(this.#options.instance)]).catch(() => {})
      .finally(() => connection.drop("the gateway is stopping"));
  }

  /** Everything that has to work before it counts as usable: hearing, then being seen. */
  async #prepare(connection: Connection): Promise<void> {
    const { instance } = this.#options;
    const hear = (message: string) => this.#hear(message);
    await connection.subscribe(this.#keys.channelOf(instance), hear);
    await connection.subscribe(this.#keys.everybody, hear);
    await connection.run(this.#signing());
  }

  #up(connection: Connection): void {
    if (this.#isClosed) return connection.drop("the gateway is stopping");
    this.#connection = connection;
    this.#failure = undefined;
    this.#backoff.connected();
  }

  #down(reason: string): void {
    this.#connection = undefined;
    this.#failure = reason;
    if (this.#isClosed) return;
    this.#cancelRetry = this.#options.clock.after(
      this.#backoff.next(),
      () => void this.connect(),
    );
  }

  async #publish(channel: string, text: string): Promise<number> {
    const message = writtenMessage(this.#options.instance, text);
    // Three bytes a character at most.
    if (message.length > MAX_BYTES / 3 && new TextEncoder().encode(message).length > MAX_BYTES) {
      throw new Error(`the message is longer than ${MAX_BYTES} bytes`);
    }
    return Number(await this.#run(["PUBLISH", channel, message]));
  }

  async #run(args: readonly string[]): Promise<unknown> {
    const connection = this.#connection;
    if (connection === undefined) throw new Error(this.#failure ?? "it is closed");
    try {
      return await connection.run(args);
    } catch (cause) {
      connection.drop(reasonOf(cause));
      throw cause;
    }
  }

  #signing(): string[] {
    return ["SET", this.#keys.signOf(this.#options.instance), "1", "PX", String(ALIVE_MS)];
  }

  async #sign(): Promise<void> {
    if (this.#connection === undefined) return;
    // That it is down is told by `failure`.
    await this.#run(this.#signing()).catch(() => {});
  }

  #hear(text: string): void {
    const message = text.length > MAX_BYTES ? undefined : spokenMessage(text);
    if (message !== undefined && message.from !== this.#options.instance) this.#take?.(message);
  }
}
