import type { SessionId } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Random } from "../../ports/random.ts";
import type { SessionRecord, SessionStore } from "../../ports/session_store.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { Principal } from "../auth/principal.ts";
import { networkTransport } from "./network_transport.ts";
import type { FrontName } from "./caller.ts";
import { Heartbeats } from "./heartbeats.ts";
import { PendingAnswers } from "./pending_answers.ts";
import { RecordReader } from "./revival.ts";
import { Rounds } from "./rounds.ts";
import { Session, type SessionHome } from "./session.ts";
import { type CapBounds, SessionCaps } from "./session_caps.ts";
import { type RecordFollower, SessionKeeper, unavailable } from "./session_keeper.ts";
import { applyRecord } from "./session_record.ts";
import { SharedValues } from "./shared_values.ts";

/** Between two looks at every session. */
const ROUND_MS = 1000;
/** How long a session that is too old may still have calls under way. */
const LINGER_MS = 60_000;
/** Why a session is closed that its store has forgotten already. */
export const ELSEWHERE = "ended at another replica";
/** Why a session on one connection is closed whose client may come back with another token. */
export const TOKEN_EXPIRED = "its token expired";

/** What a reload may change. */
export interface SessionBounds extends CapBounds {
  readonly idleMs: number;
  readonly lifetimeMs: number;
  /** Without the store no session is opened. */
  readonly required: boolean;
  /** Between keep-alives on open streams. */
  readonly heartbeatMs: number;
}

export interface RegistryOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Pick<Log, "write">;
  readonly telemetry: Telemetry;
  /** Name of this replica. */
  readonly instance: string;
  readonly store: SessionStore;
  /** Clients are asked nothing: an answer would not find its way back. Default false. */
  readonly isMute?: boolean;
  /** In force now. */
  readonly bounds: () => SessionBounds;
  readonly onOpen: (session: Session) => void;
  /** One of an earlier run, or of another replica, goes on here. */
  readonly onRestored: (session: Session) => void;
  /** Its record was changed at another replica; before, it wanted to be told of these. */
  readonly onChanged: (session: Session, before: SessionRecord["subscriptions"]) => void;
  /** The roles of a session's principal are others than before. */
  readonly onRoles: (session: Session) => void;
  readonly onClose: (session: Session, reason: string) => void;
}

/** What a request must have in common with the session it names. */
export interface SessionKey {
  readonly front: FrontName;
  readonly toolset: string | undefined;
  readonly principal: Principal;
}

/** All open sessions. Rounds end the idle ones and keep streams alive. */
export class Sessions {
  /** Of clients without sessions, and of sessions that outlive this process. */
  readonly answers = new PendingAnswers();
  readonly #options: RegistryOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #rounds: Rounds<Session>;
  readonly #caps: SessionCaps;
  readonly #keeper: SessionKeeper;
  readonly #reader: RecordReader;
  readonly #heartbeats: Heartbeats;
  readonly #home: SessionHome;
  #opened = 0;
  #isStopping = false;
  #flushed: Promise<void> | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#caps = new SessionCaps(options.bounds);
    this.#keeper = new SessionKeeper(options);
    this.#reader = new RecordReader(options.store);
    this.#heartbeats = new Heartbeats({ ...options, roundMs: ROUND_MS });
    this.#home = {
      values: new SharedValues(),
      isMute: options.isMute === true,
      changed: (session) => this.#keeper.changed(session),
      ended: (session, reason) => this.#ended(session, reason),
    };
    this.#rounds = new Rounds<Session>({
      clock: options.clock,
      everyMs: ROUND_MS,
      all: () => this,
      begin: () => this.#beginRound(),
      look: (some) => this.#look(some),
    });
  }

  /** Another run, or another replica, can go on with them. */
  get outlive(): boolean {
    return this.#options.store.kind !== "memory";
  }

  get size(): number {
    return this.#sessions.size;
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /** @throws SentinelError OVERLOADED at `sessions.max` or `sessions.max_per_principal` */
  open(front: FrontName, toolset: string | undefined, principal: Principal): Session {
    const { random, onOpen } = this.#options;
    const id = hex(random.bytes(16)) as SessionId;
    const session = this.#add({ id, ref: hex(random.bytes(6)), front, toolset, principal });
    onOpen(session);
    return session;
  }

  /**
   * Puts a session that was opened and negotiated into the store; undefined when there is nothing to wait for.
   * @throws SentinelError OVERLOADED when it cannot be put and `sessions.required`
   */
  keep(session: Session): Promise<void> {
    return this.#keeper.open(session);
  }

  /** Hears which sessions' records are changed or removed here. One follower at a time. */
  follow(follower: RecordFollower): void {
    this.#keeper.follow(follower);
  }

  /**
   * The session with this id, if it is of this front, toolset and principal; marks it as seen. What the newest
   * token says of the principal holds from now on. A promise only for one that is not in memory.
   * @throws SentinelError OVERLOADED when it cannot be looked for, or goes on nowhere for lack of room
   */
  find(id: string, key: SessionKey): Session | undefined | Promise<Session | undefined> {
    if (this.#sessions.has(id) || this.#isStopping) return this.here(id, key);
    if (key.front !== "streamable_http") return undefined;
    const read = this.#reader.read(id);
    return read === undefined ? undefined : this.#revive(read, key);
  }

  /** The one with this id, if it is in memory, whoever asks. */
  byId(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  /** Another replica has changed its record: what it says now holds here too. Never rejects. */
  async refresh(id: string): Promise<void> {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    const record = await this.#options.store.get(session.id).catch(() => undefined);
    if (record === undefined || session.closed) return;
    const before = session.subscriptions;
    applyRecord(session, record);
    this.#options.onChanged(session, before);
  }

  /** As `find`, for one that is in memory. */
  here(id: string, { front, toolset, principal }: SessionKey): Session | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined || session.front !== front || session.toolset !== toolset) {
      return undefined;
    }
    if (session.principal.id !== principal.id) return undefined;
    session.lastSeen = this.#options.clock.monotonic();
    this.#renew(session, principal);
    return session;
  }

  #renew(session: Session, principal: Principal): void {
    const { roleKey } = session.principal;
    session.principal = principal;
    if (principal.roleKey !== roleKey) this.#options.onRoles(session);
  }

  /** Closes it; resolves when it cannot come back, or its store does not answer. */
  async end(session: Session, reason: string): Promise<void> {
    session.close(reason);
    await this.#keeper.written();
  }

  /** Ends all of them here; those of Streamable HTTP stay in the store, for the next run or another replica. */
  close(reason: string): void {
    this.#isStopping = true;
    this.#rounds.stop();
    this.#flushed = this.#keeper.flush(this);
    for (const session of [...this.#sessions.values()]) session.close(reason);
  }

  /** Resolves when what `close` has left to write is in the store, or cannot be. */
  async flush(): Promise<void> {
    await this.#flushed;
    await this.#keeper.written();
  }

  #add(
    facts: Pick<Session, "id" | "ref" | "front" | "toolset" | "principal"> & {
      readonly openedAt?: number;
    },
  ): Session {
    const { clock, instance } = this.#options;
    this.#caps.take(facts.principal);
    const home = this.#home;
    const session = new Session({ ...facts, number: ++this.#opened, instance, clock, home });
    this.#sessions.set(session.id, session);
    this.#active(session).add(1);
    return session;
  }

  #ended(session: Session, reason: string): void {
    const { clock, telemetry, onClose } = this.#options;
    this.#sessions.delete(session.id);
    this.#caps.giveBack(session.principal);
    this.#active(session).add(-1);
    const network_transport = networkTransport(session.front);
    const labels = { network_transport, mcp_protocol_version: session.revision };
    telemetry.series("mcp_server_session_duration_seconds", labels)
      .observe((clock.monotonic() - session.since) / 1000);
    this.#forget(session, reason);
    onClose(session, reason);
  }

  #forget(session: Session, reason: string): void {
    if (reason === ELSEWHERE) return;
    if (this.#isStopping && session.front === "streamable_http") return;
    if (reason === "idle") void this.#keeper.idle(session);
    else this.#keeper.removed(session);
  }

  async #revive(
    read: Promise<SessionRecord | undefined>,
    key: SessionKey,
  ): Promise<Session | undefined> {
    let record: SessionRecord | undefined;
    try {
      record = await read;
    } catch (cause) {
      this.#count("failed");
      if (this.#options.bounds().required) throw unavailable("find the session", cause);
      return undefined;
    }
    if (record === undefined || !this.#isAlive(record) || !isOf(record, key)) {
      this.#count("unknown");
      return undefined;
    }
    // Somebody who waited for the same record may have been quicker.
    if (!this.#sessions.has(record.id)) this.#restore(record, key);
    return this.here(record.id, key);
  }

  #restore(record: SessionRecord, { principal }: SessionKey): void {
    const { id, ref, front, toolset, openedAt } = record;
    const { clock, instance, store, onRestored } = this.#options;
    const session = this.#add({ id, ref, front, toolset, principal, openedAt });
    applyRecord(session, record);
    session.storedAt = clock.monotonic() - Math.max(0, clock.now() - record.seenAt);
    // Without replicas the earlier holder is gone.
    if (store.kind !== "redis") session.holder = instance;
    this.#count("restored");
    onRestored(session);
  }

  #isAlive({ openedAt, seenAt }: SessionRecord): boolean {
    const { idleMs, lifetimeMs } = this.#options.bounds();
    const now = this.#options.clock.now();
    return now - openedAt < lifetimeMs && now - seenAt < idleMs;
  }

  #count(result: "restored" | "unknown" | "failed"): void {
    this.#options.telemetry.series("sentinel_session_restores_total", { result }).add(1);
  }

  #active({ front }: Session) {
    const network_transport = networkTransport(front);
    return this.#options.telemetry.series("sentinel_sessions_active", { network_transport });
  }

  #evict(session: Session, reason: "idle" | "lifetime"): void {
    this.#options.telemetry.series("sentinel_session_evictions_total", { reason }).add(1);
    session.close(reason);
  }

  #beginRound(): void {
    this.answers.sweep(this.#heartbeats.begin(this.#options.bounds().heartbeatMs));
    this.#keeper.beginRound(this);
  }

  #look(some: readonly Session[]): void {
    const bounds = this.#options.bounds();
    const [now, at] = [this.#options.clock.monotonic(), this.#options.clock.now()];
    for (const session of some) {
      this.#heartbeats.beat(session);
      if (isBusy(session)) session.lastSeen = now;
      if (isTooOld(session, at - bounds.lifetimeMs)) this.#evict(session, "lifetime");
      else if (now - session.lastSeen >= bounds.idleMs) this.#evict(session, "idle");
    }
    this.#keeper.seen(some);
  }
}

/** A pipe lasts as long as its client wants; calls under way have a while to end. */
function isTooOld({ front, load, openedAt }: Session, oldest: number): boolean {
  if (front === "stdio") return false;
  return load.inFlight === 0 ? openedAt <= oldest : openedAt <= oldest - LINGER_MS;
}

/** Its session lasts as long as its connection. */
function isPipe(front: FrontName): boolean {
  return front === "stdio" || front === "websocket";
}

function isBusy(session: Session): boolean {
  if (isPipe(session.front) || session.load.inFlight > 0) return true;
  if (session.streams.size === 0) return false;
  for (const stream of session.streams.values()) if (stream.attached) return true;
  return false;
}

/** Made in one piece: a text that grows is kept with all its parts. */
function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function isOf(record: SessionRecord, { front, toolset, principal }: SessionKey): boolean {
  return record.front === front && record.toolset === toolset && record.principal === principal.id;
}
