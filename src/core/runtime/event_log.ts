/** Everything that happened, by cursor: kept by the state store, followed by streams. */
import { type EventName, EVENTS, type GatewayEvent } from "../../contract/mod.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { StateStore } from "../../ports/state_store.ts";

type Fields = Readonly<Record<string, unknown>>;

export class EventLog {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #mask: (text: string) => string;
  readonly #followers = new Set<() => void>();
  #failure: string | undefined;

  constructor(store: StateStore, clock: Clock, mask: (text: string) => string) {
    this.#store = store;
    this.#clock = clock;
    this.#mask = mask;
  }

  /** A log that also keeps what the event table says is kept. */
  beside(log: Log): Log {
    return {
      write: (event, fields = {}) => {
        log.write(event, fields);
        if (isKept(event)) this.#keep(event, fields, log);
      },
    };
  }

  /** Cursor of the newest event, `0` when there is none. */
  get last(): number {
    return this.#store.bounds().last;
  }

  get oldest(): number {
    return this.#store.bounds().oldest;
  }

  /** Why the last event could not be kept, if so. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Events above the cursor, oldest first. */
  after(cursor: number, limit: number): readonly GatewayEvent[] {
    return this.#store.eventsAfter(cursor, limit);
  }

  /** Calls `look` after every new event; the follower reads what it wants by its own cursor. */
  follow(look: () => void): Cancel {
    this.#followers.add(look);
    return () => void this.#followers.delete(look);
  }

  #keep(event: EventName, fields: Fields, log: Log): void {
    try {
      this.#store.append({
        at: new Date(this.#clock.now()).toISOString(),
        event,
        severity: EVENTS[event].severity,
        fields: this.#masked(fields),
      });
      this.#failure = undefined;
    } catch (cause) {
      // Said once for each outage: the log is all that is left.
      const first = this.#failure === undefined;
      this.#failure = String(cause);
      if (first) log.write("state.failed", { store: "events", reason: this.#failure });
      return;
    }
    for (const look of this.#followers) look();
  }

  #masked(fields: Fields): Record<string, unknown> {
    const text = JSON.stringify(
      fields,
      (_key, value: unknown) => typeof value === "string" ? this.#mask(value) : value,
    );
    return JSON.parse(text) as Record<string, unknown>;
  }
}

function isKept(event: EventName): boolean {
  return !("kept" in EVENTS[event]);
}
