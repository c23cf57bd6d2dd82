/** Keeps what is open alive: each session once in an interval, spread over it, so that no call waits for them all. */
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Session } from "./session.ts";

/** Sessions that are beaten in one go, at least. */
const MIN_AT_ONCE = 16;
const PAUSE_MS = 20;
/** Goes between two sweeps, with some time left over. */
const GOES = 40;

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly log: Pick<Log, "write">;
  /** Between two calls of `sweep`, milliseconds. */
  readonly sweepMs: number;
}

export class Heartbeats {
  readonly #options: HeartbeatOptions;
  /** Sweeps there should have been so far: the clock counts them, because a busy process leaves some out. */
  #sweeps: number;
  #due: Session[] = [];
  #cancel: Cancel | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#sweeps = this.#count();
  }

  /** Takes those whose turn it is; true when it is also the turn of what belongs to no session. */
  sweep(sessions: Iterable<Session>, intervalMs: number): boolean {
    const turns = Math.max(1, Math.ceil(intervalMs / this.#options.sweepMs));
    const before = this.#sweeps;
    this.#sweeps = Math.max(before, this.#count());
    // The smallest number after `before` whose rest is the session's; reached, it is its turn.
    const isDue = (number: number) =>
      before + 1 + (((number - before - 1) % turns) + turns) % turns <= this.#sweeps;
    this.#finish();
    for (const session of sessions) {
      const isQuiet = session.streams.size === 0 && session.load.inFlight === 0;
      if (!isQuiet && isDue(session.number)) this.#due.push(session);
    }
    this.#go(Math.max(MIN_AT_ONCE, Math.ceil(this.#due.length / GOES)));
    return isDue(0);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#due = [];
  }

  #count(): number {
    return Math.floor(this.#options.clock.monotonic() / this.#options.sweepMs);
  }

  /** Nothing waits longer than for the next sweep. */
  #finish(): void {
    const late = this.#due;
    this.stop();
    for (const session of late) this.#beat(session);
  }

  #go(most: number): void {
    this.#cancel = undefined;
    for (const session of this.#due.splice(-most)) this.#beat(session);
    if (this.#due.length === 0) return;
    this.#cancel = this.#options.clock.after(PAUSE_MS, () => this.#go(most));
  }

  /** Who takes nothing of it for long has gone. */
  #beat(session: Session): void {
    if (session.closed) return;
    const { ref, front: transport } = session;
    for (const stream of session.streams.values()) {
      const wasRead = stream.attached;
      stream.beat();
      if (wasRead && !stream.attached) {
        this.#options.log.write("session.vanished", { session: ref, transport });
      }
    }
    if (session.load.inFlight === 0) return;
    for (const call of session.calls.values()) call.beat();
  }
}
