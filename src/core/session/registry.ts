import { SentinelError, type SessionId } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { SessionStore } from "../../ports/session_store.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { Principal } from "../auth/principal.ts";
import { networkTransport } from "./network_transport.ts";
import type { FrontName } from "./caller.ts";
import { PendingAnswers } from "./pending_answers.ts";
import { Session } from "./session.ts";

const SWEEP_MS = 1000;

/** What a reload may change. */
export interface SessionBounds {
  readonly max: number;
  readonly idleMs: number;
  /** Between keep-alives on open streams. */
  readonly heartbeatMs: number;
}

export interface RegistryOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Name of this replica. */
  readonly instance: string;
  readonly store: SessionStore;
  /** In force now. */
  readonly bounds: () => SessionBounds;
  readonly onOpen: (session: Session) => void;
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

/** All open sessions. One sweep ends the idle ones and keeps streams alive. */
export class Sessions {
  /** Beside sessions. */
  readonly answers = new PendingAnswers();
  readonly #options: RegistryOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #stop: () => void;
  #lastBeat: number;
  #opened = 0;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#lastBeat = options.clock.monotonic();
    this.#stop = options.clock.every(SWEEP_MS, () => this.#sweep());
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Calls in flight over all sessions. */
  get inFlight(): number {
    let sum = 0;
    for (const session of this.#sessions.values()) sum += session.load.inFlight;
    return sum;
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /** @throws SentinelError OVERLOADED at `sessions.max` */
  open(front: FrontName, toolset: string | undefined, principal: Principal): Session {
    const { clock, random, instance, bounds, onOpen, onClose } = this.#options;
    const { max } = bounds();
    if (this.#sessions.size >= max) {
      throw new SentinelError("OVERLOADED", "Cannot open a session: too many are open", {
        reason: `sessions.max = ${max}`,
        retryAfterMs: SWEEP_MS,
      });
    }
    const session = new Session({
      id: hex(random.bytes(16)) as SessionId,
      ref: hex(random.bytes(6)),
      number: ++this.#opened,
      instance,
      front,
      toolset,
      principal,
      clock,
    });
    this.#sessions.set(session.id, session);
    const ended = this.#measure(session);
    session.onClose(() => {
      this.#sessions.delete(session.id);
      ended();
      onClose(session, "closed");
    });
    onOpen(session);
    return session;
  }

  /**
   * The session with this id, if it is of this front, toolset and principal; marks it as seen. What the newest
   * token says of the principal holds from now on. A promise only for one that is not in memory.
   */
  find(id: string, key: SessionKey): Session | undefined | Promise<Session | undefined> {
    return this.here(id, key);
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

  close(reason: string): void {
    this.#stop();
    for (const session of [...this.#sessions.values()]) session.close(reason);
  }

  /** Counts an open session; what it gives back is called at its end. */
  #measure(session: Session): () => void {
    const { clock, telemetry } = this.#options;
    const network_transport = networkTransport(session.front);
    const openedAt = clock.monotonic();
    const active = telemetry.series("sentinel_sessions_active", { network_transport });
    active.add(1);
    return () => {
      active.add(-1);
      const labels = { network_transport, mcp_protocol_version: session.revision };
      telemetry.series("mcp_server_session_duration_seconds", labels)
        .observe((clock.monotonic() - openedAt) / 1000);
    };
  }

  #evict(session: Session): void {
    this.#options.telemetry.series("sentinel_session_evictions_total", { reason: "idle" }).add(1);
    session.close("idle");
  }

  #sweep(): void {
    const now = this.#options.clock.monotonic();
    const { heartbeatMs, idleMs } = this.#options.bounds();
    const beat = now - this.#lastBeat >= heartbeatMs;
    if (beat) this.#lastBeat = now;
    this.answers.sweep(beat);
    for (const session of [...this.#sessions.values()]) {
      if (beat) beatAll(session);
      if (isBusy(session)) session.lastSeen = now;
      else if (now - session.lastSeen >= idleMs) this.#evict(session);
    }
  }
}

function beatAll(session: Session): void {
  for (const stream of session.streams.values()) stream.beat();
  for (const call of session.calls.values()) call.beat();
}

function isBusy(session: Session): boolean {
  if (session.front === "stdio" || session.load.inFlight > 0) return true;
  for (const stream of session.streams.values()) if (stream.attached) return true;
  return false;
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
