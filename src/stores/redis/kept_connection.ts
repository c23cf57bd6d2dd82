import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import { Backoff } from "./backoff.ts";
import { Connection, reasonOf } from "./connection.ts";

/** How long the start waits for the first connection. */
const FIRST_MS = 2000;

export interface KeptConnectionOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Everything that has to work before it counts as usable. */
  readonly prepare: (connection: Connection) => Promise<void>;
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
   * A server that answers with an error is as good as one that is away; only a key of another kind concerns
   * nothing else.
   * @throws Error at once while it cannot be used
   */
  async use<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> {
    const connection = this.#connection;
    if (connection === undefined) throw new Error(this.#failure ?? "it is closed");
    try {
      return await work(connection);
    } catch (cause) {
      if (!isOfAnotherKind(cause)) connection.drop(reasonOf(cause));
      throw cause;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry();
    this.#connection?.drop("the gateway is stopping");
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
  }

  #down(reason: string): void {
    if (this.#connection !== undefined) this.#outages++;
    this.#connection = undefined;
    this.#failure = reason;
    if (this.#isClosed) return;
    this.#cancelRetry = this.#options.clock.after(
      this.#backoff.next(),
      () => void this.#connect(),
    );
  }
}

/** A key holds what nobody here has put there. */
export function isOfAnotherKind(cause: unknown): boolean {
  return cause instanceof Error && cause.message.includes("WRONGTYPE");
}
