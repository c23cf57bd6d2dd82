import { SentinelError, type SessionId } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { type FrontName, Session } from "./session.ts";

const SWEEP_MS = 1000;

export interface RegistryOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly max: number;
  readonly idleMs: number;
  /** Between keep-alives on open streams. */
  readonly heartbeatMs: number;
  readonly onOpen: (session: Session) => void;
  readonly onClose: (session: Session, reason: string) => void;
}

/** All open sessions. One sweep ends the idle ones and keeps streams alive. */
export class Sessions {
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
    for (const session of this.#sessions.values()) sum += session.inFlight;
    return sum;
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /** @throws SentinelError OVERLOADED at `sessions.max` */
  open(front: FrontName, toolset: string | undefined): Session {
    const { clock, random, max, onOpen, onClose, telemetry } = this.#options;
    if (this.#sessions.size >= max) {
      throw new SentinelError("OVERLOADED", "Cannot open a session: too many are open", {
        reason: `sessions.max = ${max}`,
        retryAfterMs: SWEEP_MS,
      });
    }
    const session = new Session({
      id: hex(random.bytes(16)) as SessionId,
      number: ++this.#opened,
      front,
      toolset,
      clock,
    });
    this.#sessions.set(session.id, session);
    const active = telemetry.series("sentinel_sessions_active", { network_transport: front });
    active.add(1);
    session.onClose(() => {
      this.#sessions.delete(session.id);
      active.add(-1);
      onClose(session, "closed");
    });
    onOpen(session);
    return session;
  }

  /** The session with this id, if it is of this front and toolset; marks it as seen. */
  find(id: string, front: FrontName, toolset: string | undefined): Session | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined || session.front !== front || session.toolset !== toolset) {
      return undefined;
    }
    session.lastSeen = this.#options.clock.monotonic();
    return session;
  }

  close(reason: string): void {
    this.#stop();
    for (const session of [...this.#sessions.values()]) session.close(reason);
  }

  #sweep(): void {
    const now = this.#options.clock.monotonic();
    const beat = now - this.#lastBeat >= this.#options.heartbeatMs;
    if (beat) this.#lastBeat = now;
    for (const session of [...this.#sessions.values()]) {
      if (beat) beatAll(session);
      if (isBusy(session)) session.lastSeen = now;
      else if (now - session.lastSeen >= this.#options.idleMs) session.close("idle");
    }
  }
}

function beatAll(session: Session): void {
  for (const stream of session.streams.values()) stream.beat();
  for (const call of session.calls.values()) call.beat();
}

function isBusy(session: Session): boolean {
  if (session.front === "stdio" || session.inFlight > 0) return true;
  for (const stream of session.streams.values()) if (stream.attached) return true;
  return false;
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
