import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Client } from "./client.ts";
import { scriptName } from "./digest.ts";
import type { Script } from "./script.ts";

/** Between two looks at whether an answer is overdue. */
const LOOK_MS = 50;
/**
 * Looks after which it is: after 200 to 250 ms. Looks are counted, not milliseconds: when this process itself
 * stood still, many are missed, and the answer may well be there.
 */
const LOOKS = 5;
/** For the way to the server, its greeting and the sign-in. */
const CONNECT_MS = 2000;

export interface ConnectionOptions {
  /** `redis://` or `rediss://`, with user, password and number of the database. */
  readonly url: string;
  readonly clock: Clock;
  /** It cannot be used any more; called at most once, never before `open` has resolved. */
  readonly lost: (reason: string) => void;
}

/**
 * One connection to Redis, which is never repaired: answers come in order, so when one is overdue all behind it
 * are, and a new connection is the quickest way to know.
 */
export class Connection {
  readonly #client: Client;
  readonly #lost: (reason: string) => void;
  readonly #endLooks: Cancel;
  /** Commands without an answer, oldest first. */
  readonly #waiting = new Set<{ looks: number }>();
  #failure: string | undefined;

  private constructor(client: Client, { clock, lost }: ConnectionOptions) {
    this.#client = client;
    this.#lost = lost;
    client.on("error", (cause) => this.drop(reasonOf(cause)));
    this.#endLooks = clock.every(LOOK_MS, () => this.#look());
  }

  /** @throws Error when there is no answer within two seconds, or another than wanted */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const { newClient } = await import("./client.ts");
    const client = newClient(options.url, CONNECT_MS);
    await connected(client, options.clock);
    return new Connection(client, options);
  }

  /** @throws Error the refusal of the server, or why there is no answer */
  async run(args: readonly string[]): Promise<unknown> {
    if (this.#failure !== undefined) throw new Error(this.#failure);
    const command = { looks: 0 };
    this.#waiting.add(command);
    try {
      return await this.#client.sendCommand(args);
    } catch (cause) {
      // What the client says when it is closed is not why it was.
      throw this.#failure === undefined ? cause : new Error(this.#failure);
    } finally {
      this.#waiting.delete(command);
    }
  }

  /** Runs a script, sending its text only to a server that does not know it. @throws as `run` */
  async script(script: Script, key: string, args: readonly string[]): Promise<unknown> {
    try {
      return await this.run(["EVALSHA", scriptName(script), "1", key, ...args]);
    } catch (cause) {
      if (!(cause instanceof Error && cause.message.startsWith("NOSCRIPT"))) throw cause;
      return await this.run(["EVAL", script.text, "1", key, ...args]);
    }
  }

  /** Hears a channel from now on. @throws Error when the server refuses or is gone */
  async subscribe(channel: string, take: (message: string) => void): Promise<void> {
    const command = { looks: 0 };
    this.#waiting.add(command);
    try {
      await this.#client.subscribe(channel, take);
    } finally {
      this.#waiting.delete(command);
    }
  }

  /** Closes it; everything that waits is rejected. Idempotent. */
  drop(reason: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#endLooks();
    destroy(this.#client);
    this.#lost(reason);
  }

  /** The oldest tells: those behind it wait for the same. */
  #look(): void {
    const [oldest] = this.#waiting;
    if (oldest !== undefined && ++oldest.looks >= LOOKS) this.drop("it does not answer in time");
  }
}

/** In words, without what a hostile server could put into them. */
export function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message || cause.name : String(cause);
  // deno-lint-ignore no-control-regex -- control characters are what is removed
  return text.replace(/[\u0000-\u001f\u007f]+/g, " ").slice(0, 200);
}

async function connected(client: Client, clock: Clock): Promise<void> {
  const connecting = client.connect();
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(CONNECT_MS, () => late.reject(new Error("it does not answer")));
  try {
    await Promise.race([connecting, late.promise]);
  } catch (cause) {
    // One that gets through after all would stay open.
    connecting.then(() => destroy(client), () => {});
    destroy(client);
    throw cause;
  } finally {
    cancel();
  }
}

function destroy(client: Client): void {
  try {
    client.destroy();
  } catch {
    // It was closed already.
  }
}
