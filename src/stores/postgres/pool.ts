/** A few connections to a database, whichever driver makes them; nothing done with one lasts longer than allowed. */
import type { Address } from "./address.ts";

/** One statement at a time, within a transaction. */
export interface Connection {
  query(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

export type Row = Readonly<Record<string, unknown>>;

export interface TransactionOptions {
  readonly access: "read only" | "read write";
  /** Milliseconds for all of it, the wait for a connection included; the pool's own by default. */
  readonly deadlineMs?: number;
}

export interface PoolOptions {
  readonly address: Address;
  /** Most connections at a time. */
  readonly max: number;
  readonly deadlineMs: number;
}

/** The shape both drivers share. */
interface DriverPool {
  connect(): Promise<DriverClient>;
  end(): Promise<void>;
  on(event: "error", listener: (error: unknown) => void): unknown;
  on(event: "connect", listener: (client: DriverClient) => void): unknown;
  on(event: "remove", listener: (client: DriverClient) => void): unknown;
}

interface DriverClient {
  readonly connection: { readonly stream: { destroy(): void } };
  query(text: string, values?: unknown[]): Promise<{ readonly rows: Row[] }>;
  release(destroy?: boolean): void;
  on(event: "error", listener: (error: unknown) => void): unknown;
}

/** Lets a server that sleeps when it is idle do so. */
const IDLE_MS = 30_000;
const KEEP_ALIVE_MS = 10_000;
/** For what is under way, and for goodbyes, when a pool is closed. */
const GOODBYE_MS = 1000;

export class Pool {
  readonly #options: PoolOptions;
  readonly #clients = new Set<DriverClient>();
  #driver: Promise<DriverPool> | undefined;
  #isClosed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * Runs `work` in a transaction, which is committed when it resolves and rolled back when it rejects.
   * @throws what `work` or the driver rejects with, or an Error at the deadline: nobody knows then whether it was
   * committed
   */
  async transaction<Result>(
    { access, deadlineMs = this.#options.deadlineMs }: TransactionOptions,
    work: (connection: Connection) => Promise<Result>,
  ): Promise<Result> {
    const lease = new Lease();
    const { promise: expired, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      lease.destroy();
      reject(new Error(`no answer within ${deadlineMs / 1000} s`));
    }, deadlineMs);
    const run = async () => {
      const connection = lease.take(await this.#connect());
      await connection.query(begin(access, deadlineMs));
      const result = await work(connection);
      await connection.query("commit");
      lease.giveBack();
      return result;
    };
    try {
      return await Promise.race([run(), expired]);
    } finally {
      clearTimeout(timer);
      // After a failure the state of the connection is not worth a round trip: its end rolls back.
      lease.destroy();
    }
  }

  /** Waits a second for what is under way and cuts it off then. Harmless twice. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const driver = await this.#driver?.catch(() => undefined);
    if (driver === undefined) return;
    driver.end().catch(() => {});
    const end = performance.now() + GOODBYE_MS;
    while (this.#clients.size > 0 && performance.now() < end) await pause(5);
    for (const client of this.#clients) client.connection.stream.destroy();
  }

  async #connect(): Promise<DriverClient> {
    if (this.#isClosed) throw new Error("it is closed");
    this.#driver ??= this.#load();
    return await (await this.#driver).connect();
  }

  async #load(): Promise<DriverPool> {
    const { address, max, deadlineMs } = this.#options;
    const module = address.kind === "neon"
      ? await import("./neon_pool.ts")
      : await import("./pg_pool.ts");
    const options = {
      // Without `sslmode` in it, pg asks for no TLS and sends rows in the clear; Neon is TLS in any case.
      connectionString: address.url,
      max,
      connectionTimeoutMillis: deadlineMs,
      idleTimeoutMillis: IDLE_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      fallback_application_name: "mcp-sentinel",
    };
    const driver = new module.Pool(options) as unknown as DriverPool;
    // Nobody waits for an idle connection; whoever needs one gets another. Unheard, each of these ends Node.
    driver.on("error", () => {});
    driver.on("connect", (client) => {
      client.on("error", () => {});
      this.#clients.add(client);
    });
    driver.on("remove", (client) => this.#clients.delete(client));
    return driver;
  }
}

/** One connection, lent for one transaction: given back, or destroyed, once. */
class Lease {
  #client: DriverClient | undefined;
  #isOver = false;

  take(client: DriverClient): Connection {
    if (this.#isOver) {
      client.release();
      throw new Error("it came too late");
    }
    this.#client = client;
    return {
      query: async (text, values) =>
        (await (values === undefined ? client.query(text) : client.query(text, [...values]))).rows,
    };
  }

  giveBack(): void {
    this.#end(false);
  }

  /** Also while it waits for an answer. */
  destroy(): void {
    this.#end(true);
  }

  #end(destroy: boolean): void {
    this.#isOver = true;
    const client = this.#client;
    this.#client = undefined;
    client?.release(destroy);
  }
}

/**
 * Everything for this transaction alone, and nothing at the start of the connection: between here and the server
 * there may be a pooler, which gives each transaction to another connection and takes few options.
 * A server that was told to commit before a row is on its disk is told otherwise, because the journal forgets it.
 */
function begin(access: TransactionOptions["access"], deadlineMs: number): string {
  return `begin isolation level read committed ${access};
    set local statement_timeout = ${deadlineMs};
    set local idle_in_transaction_session_timeout = ${deadlineMs};
    select set_config('synchronous_commit', 'on', true)
      where current_setting('synchronous_commit') = 'off'`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
