/** Writes sessions down, so that they outlive this process. */
import { SentinelError } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { SessionStore } from "../../ports/session_store.ts";
import type { Session } from "./session.ts";
import { isStored, recordOf } from "./session_record.ts";

/** Between two notes that a session was seen. */
const TOUCH_MS = 60_000;
/** Of the store's clock and ours, and of the rounds. */
const SLACK_MS = 2000;
/** Records written again in one round, after the store was away. */
const MAX_AT_ONCE = 500;

/** Who has to know what became of a session's record. */
export interface RecordFollower {
  changed(session: Session): void;
  removed(session: Session): void;
}

export interface KeeperOptions {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly log: Pick<Log, "write">;
  /** In force now; `idleMs` is how long a session may be quiet. */
  readonly bounds: () => { readonly idleMs: number; readonly required: boolean };
}

export class SessionKeeper {
  readonly #options: KeeperOptions;
  /** Whose record is another than the store's. */
  readonly #dirty = new Set<Session>();
  readonly #writing = new Set<Promise<void>>();
  #follower: RecordFollower | undefined;
  #isScheduled = false;
  #isDown = false;
  #outages = 0;
  #isStopping = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** One follower at a time. */
  follow(follower: RecordFollower): void {
    this.#follower = follower;
  }

  /**
   * Puts a new session into the store; one that cannot be put lives in memory until it can.
   * @throws SentinelError OVERLOADED when the configuration wants every session there
   */
  async open(session: Session): Promise<void> {
    if (!isStored(session)) return;
    try {
      await this.#put(session);
    } catch (cause) {
      if (this.#options.bounds().required) throw unavailable("open a session", cause);
      this.#dirty.add(session);
    }
  }

  /** Something of its record is another now: written soon, once for many changes. */
  changed(session: Session): void {
    if (session.storedAt === undefined || session.closed) return;
    this.#dirty.add(session);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    void Promise.resolve().then(() => {
      this.#isScheduled = false;
      this.#write();
    });
  }

  /** It has ended for everybody. */
  removed(session: Session): void {
    this.#dirty.delete(session);
    if (session.storedAt === undefined) return;
    this.#follower?.removed(session);
    // What cannot be removed goes by itself.
    this.#track(this.#options.store.remove(session.id));
  }

  /** It was quiet here for too long: another replica may have it still. */
  async idle(session: Session): Promise<void> {
    const { store, clock } = this.#options;
    const seenAt = clock.now() - (clock.monotonic() - session.lastSeen);
    const record = await store.get(session.id).catch(() => undefined);
    const isElsewhere = record !== undefined && record.seenAt > seenAt + this.#touchMs + SLACK_MS;
    if (!isElsewhere) this.removed(session);
  }

  /** Now and then: tells the store what it has missed. */
  beginRound(sessions: Iterable<Session>): void {
    this.#look();
    if (this.#options.store.failure !== undefined) return;
    this.#writeAnew(sessions);
    this.#write();
  }

  /** Tells the store now and then who of these was seen. */
  seen(sessions: readonly Session[]): void {
    if (this.#options.store.failure !== undefined) return;
    const oldest = this.#options.clock.monotonic() - this.#touchMs;
    this.#touch(sessions, (storedAt) => storedAt <= oldest);
  }

  /** Resolves when everything is written, or cannot be. */
  async flush(sessions: Iterable<Session>): Promise<void> {
    this.#isStopping = true;
    this.#write(Infinity);
    this.#touch(sessions, () => true);
    await this.written();
    await this.#options.store.flush();
  }

  /** Resolves when what is on its way has arrived, or cannot. */
  async written(): Promise<void> {
    await Promise.allSettled([...this.#writing]);
  }

  /** A store that was away may have lost what it had. */
  #writeAnew(sessions: Iterable<Session>): void {
    const { outages = 0 } = this.#options.store;
    if (outages === this.#outages) return;
    this.#outages = outages;
    for (const session of sessions) if (session.storedAt !== undefined) this.#dirty.add(session);
  }

  #write(most = MAX_AT_ONCE): void {
    let left = most;
    for (const session of this.#dirty) {
      if (left-- <= 0) return;
      this.#dirty.delete(session);
      if (session.closed) continue;
      this.#track(this.#put(session).catch(() => void this.#dirty.add(session)));
    }
  }

  async #put(session: Session): Promise<void> {
    const { store, clock } = this.#options;
    await store.put(recordOf(session, clock.now()), this.#keepMs);
    if (session.closed && !this.#isStopping) {
      await store.remove(session.id);
      return;
    }
    const isNew = session.storedAt === undefined;
    session.storedAt = clock.monotonic();
    if (!isNew) this.#follower?.changed(session);
  }

  #touch(sessions: Iterable<Session>, isDue: (storedAt: number) => boolean): void {
    const seen: Session[] = [];
    for (const session of sessions) {
      const { storedAt, lastSeen } = session;
      if (session.closed || storedAt === undefined || lastSeen <= storedAt) continue;
      if (isDue(storedAt)) seen.push(session);
    }
    if (seen.length === 0) return;
    const { store, clock } = this.#options;
    for (const session of seen) session.storedAt = clock.monotonic();
    const ids = seen.map(({ id }) => id);
    this.#track(store.touch(ids, clock.now(), this.#keepMs));
  }

  /** Longer than a session may be quiet: notes that it was seen come late. */
  get #keepMs(): number {
    return this.#options.bounds().idleMs + 2 * TOUCH_MS;
  }

  /** A quiet session of another replica must not be taken for idle in between. */
  get #touchMs(): number {
    return Math.min(TOUCH_MS, this.#options.bounds().idleMs / 4);
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch(() => {}).finally(() => this.#writing.delete(tracked));
    this.#writing.add(tracked);
  }

  #look(): void {
    const { store: { failure }, log } = this.#options;
    if ((failure !== undefined) === this.#isDown) return;
    this.#isDown = failure !== undefined;
    if (failure === undefined) log.write("store.recovered", { store: "sessions" });
    else log.write("store.failed", { store: "sessions", reason: failure });
  }
}

export function unavailable(act: string, cause: unknown): SentinelError {
  const reason = "the store of the sessions does not answer";
  return new SentinelError(
    "OVERLOADED",
    `Cannot ${act}: ${reason}`,
    { reason, retryAfterMs: 1000 },
    cause,
  );
}
