/** All open streams of the management API. */
import { type Actor, SentinelError } from "../../contract/mod.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Series, Telemetry } from "../../ports/telemetry.ts";
import { Feed, type StreamEnd } from "./feed.ts";
import type { Source } from "./source.ts";

/** Streams open at once. */
const MAX_STREAMS = 64;
/** When one more may be tried. */
const RETRY_MS = 5_000;
/** Between two looks for readers that take nothing. */
const PACE_MS = 15_000;

const KIND = { kind: "management_events" } as const;

export interface Opening {
  readonly source: Source;
  /** Who reads, for the record. */
  readonly actor: Actor;
  readonly isAllowed: () => Promise<boolean>;
}

export class Streams {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #open = new Set<Feed>();
  readonly #active: Series;
  readonly #dropped: Series;
  #sweep: Cancel | undefined;
  #isClosed = false;

  constructor(
    { clock, log, telemetry }: {
      readonly clock: Clock;
      readonly log: Log;
      readonly telemetry: Telemetry;
    },
  ) {
    this.#clock = clock;
    this.#log = log;
    this.#active = telemetry.series("sentinel_streams_active", KIND);
    this.#dropped = telemetry.series("sentinel_stream_events_dropped_total", KIND);
  }

  /** Body of a new stream. @throws SentinelError OVERLOADED, STOPPING */
  open({ source, actor, isAllowed }: Opening): ReadableStream<Uint8Array> {
    this.#checkRoom();
    const feed: Feed = new Feed({
      source,
      clock: this.#clock,
      isAllowed,
      onEnd: (end, cause) => {
        this.#remove(feed);
        this.#report({ end, source, actor, cause });
      },
    });
    this.#open.add(feed);
    this.#active.add(1);
    this.#sweep ??= this.#clock.every(PACE_MS, () => {
      for (const one of this.#open) one.checkPace();
    });
    return feed.body;
  }

  /** Ends all of them and takes no more. */
  closeAll(): void {
    this.#isClosed = true;
    for (const feed of this.#open) feed.end("stopping");
  }

  #checkRoom(): void {
    if (this.#isClosed) {
      throw new SentinelError("STOPPING", "Cannot open a stream: the gateway is stopping");
    }
    if (this.#open.size < MAX_STREAMS) return;
    throw new SentinelError("OVERLOADED", "Cannot open a stream: too many are open", {
      reason: `at most ${MAX_STREAMS} at once`,
      retryAfterMs: RETRY_MS,
    });
  }

  #remove(feed: Feed): void {
    this.#open.delete(feed);
    this.#active.add(-1);
    if (this.#open.size > 0) return;
    this.#sweep?.();
    this.#sweep = undefined;
  }

  #report(
    { end, source: { lost }, actor: { name, address }, cause }: {
      readonly end: StreamEnd;
      readonly source: Source;
      readonly actor: Actor;
      readonly cause: unknown;
    },
  ): void {
    if (end === "slow") {
      this.#dropped.add(lost);
      this.#log.write("management.slow_reader", { by: name, address, lost });
    }
    if (end === "failed") {
      this.#log.write("state.failed", { store: "events", reason: String(cause) });
    }
  }
}
