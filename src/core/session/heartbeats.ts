/** Keeps what is open alive: each session once in an interval, spread over it, so that no call waits for them all. */
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Session } from "./session.ts";

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly log: Pick<Log, "write">;
  /** Between two rounds, milliseconds. */
  readonly roundMs: number;
}

export class Heartbeats {
  readonly #options: HeartbeatOptions;
  /** Rounds there should have been so far: the clock counts them, because a busy process leaves some out. */
  #rounds: number;
  #before: number;
  #turns = 1;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#rounds = this.#before = this.#count();
  }

  /** A round begins; true when it is also the turn of what belongs to no session. */
  begin(intervalMs: number): boolean {
    this.#turns = Math.max(1, Math.ceil(intervalMs / this.#options.roundMs));
    this.#before = this.#rounds;
    this.#rounds = Math.max(this.#before, this.#count());
    return this.#isDue(0);
  }

  /** Beats the session, if this round is its turn. Who takes nothing of it for long has gone. */
  beat(session: Session): void {
    const { ref, front: transport, load, streams } = session;
    const isQuiet = streams.size === 0 && load.inFlight === 0;
    if (isQuiet || session.closed || !this.#isDue(session.number)) return;
    for (const stream of streams.values()) {
      const wasRead = stream.attached;
      stream.beat();
      if (wasRead && !stream.attached) {
        this.#options.log.write("session.vanished", { session: ref, transport });
      }
    }
    if (load.inFlight === 0) return;
    for (const call of session.calls.values()) call.beat();
  }

  /** The smallest number after those of earlier rounds whose rest is the session's; reached, it is its turn. */
  #isDue(number: number): boolean {
    const [before, turns] = [this.#before, this.#turns];
    return before + 1 + (((number - before - 1) % turns) + turns) % turns <= this.#rounds;
  }

  #count(): number {
    return Math.floor(this.#options.clock.monotonic() / this.#options.roundMs);
  }
}
