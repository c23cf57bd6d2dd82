/** Links of one backend beside its main link: one per set of declared capabilities, or per session. */
import { SentinelError } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { Session } from "../session/session.ts";
import type { Link } from "./link.ts";

/** A shared link without sessions is closed after this long. */
const IDLE_MS = 60_000;
const SWEEP_MS = 10_000;
/** Links that one caller without a session may use at a time, where calls cannot share one. */
const MAX_EXCLUSIVE = 16;

/** What opens a link of the pool. */
export interface PoolRequest {
  readonly key: string;
  readonly capabilities: JsonObject;
  /** Set when the link belongs to one session alone. */
  readonly owner: Session | undefined;
}

interface Entry {
  /** Sessions, and callers without one while their call is under way. */
  readonly users: Set<object>;
  readonly owner: Session | undefined;
  opening: Promise<Link> | undefined;
  link: Link | undefined;
  /** Monotonic time since nobody uses it. */
  idleSince: number | undefined;
}

export interface PoolOptions {
  readonly clock: Clock;
  readonly open: (request: PoolRequest, closed: (error: SentinelError) => void) => Promise<Link>;
}

export class LinkPool {
  readonly #options: PoolOptions;
  readonly #entries = new Map<string, Entry>();
  /** Keys that each user holds: a call that ends must not look through all links. */
  readonly #held = new Map<object, Set<string>>();
  readonly #stopSweep: () => void;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#stopSweep = options.clock.every(SWEEP_MS, () => this.#sweep());
  }

  get size(): number {
    return this.#entries.size;
  }

  get inFlight(): number {
    let sum = 0;
    for (const { link } of this.#entries.values()) sum += link?.inFlight ?? 0;
    return sum;
  }

  /** Links that are open now. */
  *open(): Iterable<{ readonly link: Link; readonly owner: Session | undefined }> {
    for (const { link, owner } of this.#entries.values()) {
      if (link !== undefined) yield { link, owner };
    }
  }

  /** As `get`, for a link that is open now. */
  living(user: object, { key }: PoolRequest): Link | undefined {
    const entry = this.#entries.get(key);
    if (entry?.link === undefined) return undefined;
    this.#hold(user, key, entry);
    return entry.link;
  }

  /**
   * A key that begins with `prefix` and whose link nobody else uses now: on a connection without streams a
   * question of the backend can be told to belong to a call only when there is no other.
   * @throws SentinelError OVERLOADED when all that there may be are in use
   */
  vacant(prefix: string, user: object): string {
    for (let number = 1; number <= MAX_EXCLUSIVE; number++) {
      const key = `${prefix} ${number}`;
      const users = this.#entries.get(key)?.users;
      if (users === undefined || users.size === 0 || users.has(user)) return key;
    }
    throw new SentinelError("OVERLOADED", "Cannot take the call: all connections are in use", {
      reason: `at most ${MAX_EXCLUSIVE} for each caller`,
      executed: "no",
      http: 200,
    });
  }

  /**
   * A key that begins with `prefix`: of the link that answers the fewest calls, or of another one while all
   * of them are busy and there are fewer than `most`.
   */
  leastBusy(prefix: string, most: number): string {
    let least = { key: prefix, calls: Infinity };
    for (let number = 1; number <= most; number++) {
      const key = number === 1 ? prefix : `${prefix} ${number}`;
      const calls = this.#entries.get(key)?.link?.inFlight ?? 0;
      if (calls < least.calls) least = { key, calls };
      if (calls === 0) break;
    }
    return least.key;
  }

  /** The link for a key; opened on first use, the same promise while it opens. */
  get(user: object, request: PoolRequest): Link | Promise<Link> {
    const entry = this.#entries.get(request.key) ?? this.#add(request);
    this.#hold(user, request.key, entry);
    if (entry.link !== undefined) return entry.link;
    return entry.opening ??= this.#open(entry, request);
  }

  /** A session or a call has ended: the link of a session closes, others lose a user. */
  release(user: object): void {
    for (const key of this.#held.get(user) ?? []) {
      const entry = this.#entries.get(key);
      if (entry === undefined || !entry.users.delete(user) || entry.users.size > 0) continue;
      if (entry.owner === undefined) entry.idleSince = this.#options.clock.monotonic();
      else void this.#remove(key, entry);
    }
    this.#held.delete(user);
  }

  async close(): Promise<void> {
    this.#stopSweep();
    await Promise.all([...this.#entries].map(([key, entry]) => this.#remove(key, entry)));
  }

  #hold(user: object, key: string, entry: Entry): void {
    entry.users.add(user);
    entry.idleSince = undefined;
    const held = this.#held.get(user);
    if (held === undefined) this.#held.set(user, new Set([key]));
    else held.add(key);
  }

  #add({ key, owner }: PoolRequest): Entry {
    const entry: Entry = {
      users: new Set(),
      owner,
      opening: undefined,
      link: undefined,
      idleSince: undefined,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  async #open(entry: Entry, request: PoolRequest): Promise<Link> {
    const forget = () => {
      if (this.#entries.get(request.key) === entry) this.#entries.delete(request.key);
    };
    try {
      const link = await this.#options.open(request, forget);
      if (this.#entries.get(request.key) === entry) entry.link = link;
      else await link.close();
      return link;
    } catch (cause) {
      forget();
      throw cause;
    }
  }

  async #remove(key: string, entry: Entry): Promise<void> {
    this.#entries.delete(key);
    await entry.link?.close();
  }

  #sweep(): void {
    const now = this.#options.clock.monotonic();
    for (const [key, entry] of this.#entries) {
      if (entry.idleSince === undefined || now - entry.idleSince < IDLE_MS) continue;
      void this.#remove(key, entry);
    }
  }
}
