import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import { Backoff } from "./backoff.ts";
import { Connection, reasonOf } from "./connection.ts";
import { isOfAnotherKind } from "./harmless.ts";

/** How long the start waits for the first connection. */
const FIRST_MS = 2000;

export interface KeptConnectionOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Everything that has to work before it counts as usable. */
  readonly prepare: (connection: Connection) => Promise<void>;
  /** It can be used from now on. */
  readonly up?: () => void;
  /** It cannot be used any more, or still not. */
  readonly down?: (reason: string) => void;
  /** Errors that say nothing about the connection or its server; by default those about a key of another kind. */
  readonly isHarmless?: (cause: unknown) => boolean;
}

/** A connection that is made anew, again and again, when one is lost. Nothing is kept for later meanwhile. */
export class KeptConnection {
  readonly #options: KeptConnectionOptions;
  readonly #backoff: Backoff;
  #connection: Connection | undefined;
  #failure: string | undefined = "it is not connected yet";
  #cancelRetry: Cancel = () => {};
  #outages = 0;
  #isClosed = false;

  constructor(options: KeptConnectionOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.clock, options.random);
  }

  /** Why it cannot be used now; undefined while it can. */
  get failure(): string | undefined {
    return this.#failure;
  }

  get isUp(): boolean {
    return this.#connection !== undefined;
  }

  /** Connections that were lost. */
  get outages(): number {
    return this.#outages;
  }

  /** Begins to connect; resolves when it can be used or the first attempt has failed, after two seconds at most. */
  async start(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(FIRST_MS, late.resolve);
    await Promise.race([this.#connect(), late.promise]);
    cancel();
  }

  /**
   * A server that answers with an error is as good as one that is away, unless the error is harmless.
   * @throws Error at once while it cannot be used
   */
  async use<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> {
    const connection = this.#connection;
    const { isHarmless = isOfAnotherKind } = this.#options;
    if (connection === undefined) throw new Error(this.#failure ?? "it is closed");
    try {
      return await work(connection);
    } catch (cause) {
      if (!isHarmless(cause)) connection.drop(reasonOf(cause));
      throw cause;
    }
  }

  /** @param last said to the server before, if it can be */
  close(last?: (connection: Connection) => Promise<unknown>): void {
    this.#isClosed = true;
    this.#cancelRetry();
    const connection = this.#connection;
    const drop = () => connection?.drop("the gateway is stopping");
    if (connection === undefined || last === undefined) drop();
    else last(connection).catch(() => {}).finally(drop);
  }

  async #connect(): Promise<void> {
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
      await this.#options.prepare(connection);
      if (lostEarly !== undefined) throw new Error(lostEarly);
      this.#up(connection);
    } catch (cause) {
      opened?.drop("it is not used");
      this.#down(reasonOf(cause));
    }
  }

  #up(connection: Connection): void {
    if (this.#isClosed) return connection.drop("the gateway is stopping");
    this.#connection = connection;
    this.#failure = undefined;
    this.#backoff.connected();
    this.#options.up?.();
  }

  #down(reason: string): void {
    if (this.#connection !== undefined) this.#outages++;
    this.#connection = undefined;
    this.#failure = reason;
    if (this.#isClosed) return;
    this.#options.down?.(reason);
    this.#cancelRetry = this.#options.clock.after(
      this.#backoff.next(),
      () => void this.#connect(),
    );
  }
}
