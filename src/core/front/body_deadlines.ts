/** Who sends a body slowly holds a connection and memory: no runtime bounds that for all of us (trust.md A7). */
import { SentinelError } from "../../contract/mod.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { HttpIncoming } from "./http_message.ts";

/** Between two looks: a body may take that much longer. */
const SWEEP_MS = 1000;

export class BodyDeadlines {
  readonly #clock: Clock;
  readonly #limitMs: () => number;
  readonly #stop: Cancel;
  /** When their reading began (monotonic), oldest first. */
  readonly #reading = new Map<HttpIncoming, number>();

  /** @param limitMs time for a whole body, in force now */
  constructor(clock: Clock, limitMs: () => number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#stop = clock.every(SWEEP_MS, () => this.#sweep());
  }

  /** The whole body. @throws SentinelError SLOW, or as `HttpIncoming.body` */
  async read(incoming: HttpIncoming, maxBytes: number): Promise<Uint8Array> {
    this.#reading.set(incoming, this.#clock.monotonic());
    try {
      return await incoming.body(maxBytes);
    } finally {
      this.#reading.delete(incoming);
    }
  }

  stop(): void {
    this.#stop();
  }

  #sweep(): void {
    const limit = this.#limitMs();
    const latest = this.#clock.monotonic() - limit;
    for (const [incoming, since] of this.#reading) {
      if (since > latest) return;
      incoming.abandon(tooSlow(limit));
    }
  }
}

function tooSlow(limitMs: number): SentinelError {
  return new SentinelError("SLOW", "Cannot read the message: the body comes too slowly", {
    reason: `server.body_timeout = ${limitMs} ms`,
  });
}
