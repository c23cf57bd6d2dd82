import type { SessionId } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { StoredSubscription } from "../../ports/session_store.ts";
import type { Principal } from "../auth/principal.ts";
import type { View } from "../catalog/types.ts";
import type { Ask, AskReply } from "../backends/link.ts";
import { encodeNotification } from "../mcp/codec.ts";
import type { JsonObject } from "../mcp/json.ts";
import { LATEST_LEGACY } from "../mcp/revisions.ts";
import { canAnswer } from "../mcp/server_requests.ts";
import { Asks } from "./asks.ts";
import { type Caller, type FrontName, type InFlight, noLoad } from "./caller.ts";
import type { Channel } from "./channel.ts";
import type { EventStream } from "./event_stream.ts";
import { SessionLedger } from "./ledger.ts";
import { levelOf, severityOf } from "./log_levels.ts";
import type { SharedValues } from "./shared_values.ts";
import type { Subscriber } from "./subscriber.ts";

/** What keeps sessions: one for all of them, so that a session needs no functions of its own. */
export interface SessionHome {
  readonly values: SharedValues;
  /** Clients are asked nothing: an answer would not find its way back. */
  readonly isMute?: boolean;
  /** Something of its record is another now. */
  changed(session: Session): void;
  /** It has ended; called before what waits with `onClose`. */
  ended(session: Session, reason: string): void;
}

/** The standing stream of a session, made when it is first needed. */
export interface Standing extends Channel {
  /** Made now, if it was not. */
  readonly stream: EventStream;
  /** Undefined: nobody has needed it yet. */
  readonly made: EventStream | undefined;
}

export interface SessionOptions {
  readonly id: SessionId;
  /** What operators see instead of the id, which could be used to speak in the session. */
  readonly ref: string;
  /** Counts sessions; unlike the id it may appear in event ids. */
  readonly number: number;
  /** Replica that has it in memory. */
  readonly instance: string;
  readonly front: FrontName;
  readonly toolset: string | undefined;
  readonly principal: Principal;
  readonly clock: Clock;
  /** Wall time, milliseconds since 1970; now when it is absent. */
  readonly openedAt?: number;
  readonly home?: SessionHome;
}

/** What of a session outlives its process. */
export interface Kept {
  readonly revision: string;
  readonly capabilities: JsonObject;
  readonly client: string | undefined;
  readonly initialized: boolean;
  readonly logLevel: string | undefined;
  readonly subscriptions: readonly StoredSubscription[];
  readonly holder: string;
}

const NO_STREAMS: ReadonlyMap<string, EventStream> = new Map();
const NO_CAPABILITIES: JsonObject = {};
const NO_SUBSCRIPTIONS: readonly StoredSubscription[] = [];
/** Subscriptions of one session that are written down; those on top end with the process. */
const MAX_SUBSCRIPTIONS = 1000;

/** Streams one session keeps; ended ones make room. */
const MAX_STREAMS = 64;

/**
 * A legacy client: what it negotiated, what it waits for, what it wants to be told. There are thousands that
 * say nothing, so what only some need is made when it is needed.
 */
export class Session implements Caller, Subscriber {
  readonly era = "legacy";
  readonly id: SessionId;
  readonly ref: string;
  readonly number: number;
  readonly instance: string;
  /** Wall time, milliseconds since 1970. */
  readonly openedAt: number;
  readonly front: FrontName;
  readonly toolset: string | undefined;
  readonly asks: Asks;
  /** Fingerprints of the lists as the client last could know them. */
  seen: View["fingerprints"] | undefined;
  /** Where messages go that belong to no call. */
  channel: Channel | undefined;
  /**
   * Hands a message to another replica that holds the session; false when none can be reached. Undefined where
   * there are no others.
   */
  relay: ((holder: string, text: string) => boolean) | undefined;
  /** Of Streamable HTTP sessions, once one speaks here. */
  standing: Standing | undefined;
  /** Whose session it is, as the newest token says. */
  principal: Principal;
  revision = LATEST_LEGACY;
  /** Where its newest request came from. */
  address: string | undefined;
  /** `initialize` was answered. */
  negotiated = false;
  readonly load = noLoad();
  /** What of it was made anew, and what was lost by that. */
  readonly ledger = new SessionLedger();
  /** Monotonic time of the last sign of life. */
  lastSeen: number;
  /** Monotonic time from which it is here. */
  readonly since: number;
  /** Monotonic time at which the store was last told that it was seen; undefined when it is not there. */
  storedAt: number | undefined;
  #calls: Map<string, InFlight> | undefined;
  #producers: Map<string, string> | undefined;
  #streams: Map<string, EventStream> | undefined;
  #onClose: ((reason: string) => void)[] | undefined;
  #capabilities = NO_CAPABILITIES;
  #client: string | undefined;
  #lastStream = 0;
  #logSeverity: number | undefined;
  #initialized = false;
  #subscriptions = NO_SUBSCRIPTIONS;
  #holder: string;
  readonly #home: SessionHome | undefined;
  #closed = false;

  constructor(options: SessionOptions) {
    const { id, ref, number, instance, front, toolset, principal, clock } = options;
    this.id = id;
    this.ref = ref;
    this.number = number;
    this.instance = instance;
    this.openedAt = options.openedAt ?? clock.now();
    this.#holder = instance;
    this.#home = options.home;
    this.front = front;
    this.toolset = toolset;
    this.principal = principal;
    this.asks = new Asks(clock, instance);
    this.since = this.lastSeen = clock.monotonic();
  }

  /** Calls in flight by the JSON text of their id. */
  get calls(): Map<string, InFlight> {
    return this.#calls ??= new Map();
  }

  /** Where URIs came from that stood in results but in no list. */
  get producers(): Map<string, string> {
    return this.#producers ??= new Map();
  }

  /** Streams by key, also ended ones that can still be resumed; the oldest are forgotten. */
  get streams(): ReadonlyMap<string, EventStream> {
    return this.#streams ?? NO_STREAMS;
  }

  /** The stream of GET requests (Streamable HTTP), if there is one already. */
  get standalone(): EventStream | undefined {
    return this.standing?.made;
  }

  get capabilities(): JsonObject {
    return this.#capabilities;
  }

  /** May be kept as another client's that are equal. */
  set capabilities(capabilities: JsonObject) {
    this.#capabilities = this.#home?.values.object(capabilities) ?? capabilities;
  }

  /** Name and version the client gave. */
  get client(): string | undefined {
    return this.#client;
  }

  set client(client: string | undefined) {
    this.#client = client === undefined ? undefined : this.#home?.values.text(client) ?? client;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Least severe log message wanted: 0 debug … 7 emergency; undefined until the client set a level. */
  get logSeverity(): number | undefined {
    return this.#logSeverity;
  }

  /** As the client set it. */
  get logLevel(): string | undefined {
    return levelOf(this.#logSeverity);
  }

  setLogLevel(level: string): boolean {
    const severity = severityOf(level);
    if (severity === undefined) return false;
    const before = this.#logSeverity;
    this.#logSeverity = severity;
    if (severity !== before) this.#home?.changed(this);
    return true;
  }

  /** The client confirmed the handshake. */
  get initialized(): boolean {
    return this.#initialized;
  }

  set initialized(initialized: boolean) {
    if (initialized === this.#initialized) return;
    this.#initialized = initialized;
    this.#home?.changed(this);
  }

  /** Replica that sends what belongs to no call: it has the standing stream, or had it last. */
  get holder(): string {
    return this.#holder;
  }

  set holder(holder: string) {
    if (holder === this.#holder) return;
    this.#holder = holder;
    this.#home?.changed(this);
  }

  /** Resources it wants to be told of. */
  get subscriptions(): readonly StoredSubscription[] {
    return this.#subscriptions;
  }

  /** Writes down that it wants to be told of a resource, or not any more. */
  noteSubscription({ backend, uri }: StoredSubscription, isWanted: boolean): void {
    const before = this.#subscriptions;
    const others = before.filter((own) => own.backend !== backend || own.uri !== uri);
    if (isWanted ? others.length < before.length : others.length === before.length) return;
    if (isWanted && others.length >= MAX_SUBSCRIPTIONS) return;
    this.#subscriptions = isWanted ? [...others, { backend, uri }] : others;
    this.#home?.changed(this);
  }

  /** It could not be had again. */
  dropSubscription(subscription: StoredSubscription): void {
    this.noteSubscription(subscription, false);
  }

  /** Makes it what was written down, by an earlier run or another replica. */
  restore(kept: Kept): void {
    this.revision = kept.revision;
    this.capabilities = kept.capabilities;
    this.client = kept.client;
    this.negotiated = true;
    this.#initialized = kept.initialized;
    this.#logSeverity = severityOf(kept.logLevel);
    this.#subscriptions = kept.subscriptions;
    this.#holder = kept.holder;
  }

  /** Before a level is set every message is wanted (specification, logging). */
  wantsLog(params: JsonObject): boolean {
    const severity = severityOf(params["level"]);
    return severity !== undefined && severity >= (this.#logSeverity ?? 0);
  }

  /** True when the client declared the capability that a server request needs, and its answer would be heard. */
  canAnswer(method: string): boolean {
    return this.#home?.isMute !== true && canAnswer(this.capabilities, method);
  }

  /**
   * Asks the client something that belongs to no call, on the session's own channel.
   * @throws SentinelError CLIENT_UNREACHABLE
   */
  async ask(ask: Ask): Promise<AskReply> {
    if (!this.canAnswer(ask.method)) return cannotAnswer(ask.method);
    return await this.asks.put(
      ask,
      (text) => (!this.isHolder || this.channel?.attached === true) && this.pass(text),
    );
  }

  tell(method: string, params: JsonObject): void {
    this.say(encodeNotification(method, params));
  }

  /** This replica sends what belongs to no call. */
  get isHolder(): boolean {
    return this.holder === this.instance;
  }

  /** Tells the client what belongs to no call and what every replica finds out by itself: its holder does. */
  say(text: string): void {
    if (this.isHolder) this.channel?.send(text);
  }

  /** Tells the client what belongs to no call and what only this replica knows; false when it cannot. */
  pass(text: string): boolean {
    if (this.isHolder) return this.channel?.send(text) ?? false;
    return this.relay?.(this.holder, text) ?? false;
  }

  /** Name for a new stream, unique over all sessions of all replicas. */
  nextStreamKey(): string {
    return `${this.instance}-${this.number}-${++this.#lastStream}`;
  }

  /** Keeps a stream for heartbeats and resumption. */
  addStream(stream: EventStream): void {
    const streams = this.#streams ??= new Map();
    streams.set(stream.key, stream);
    if (streams.size <= MAX_STREAMS) return;
    for (const [key, old] of streams) {
      if (!old.ended) continue;
      old.drop();
      streams.delete(key);
      return;
    }
  }

  onClose(run: (reason: string) => void): void {
    (this.#onClose ??= []).push(run);
  }

  /** Ends everything that belongs to the session. Idempotent. */
  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const call of [...this.#calls?.values() ?? []]) call.cancel(reason);
    this.asks.close();
    for (const stream of this.streams.values()) {
      stream.end();
      stream.drop();
    }
    this.#home?.ended(this, reason);
    for (const run of this.#onClose ?? []) run(reason);
  }
}

/** What a backend is told when its question needs a capability the client does not have. */
export function cannotAnswer(method: string): AskReply {
  return { error: { code: -32601, message: `The client cannot answer "${method}"` } };
}
