import type { Clock } from "../../ports/clock.ts";
import type { EventStore, StoredEvent } from "../../ports/event_store.ts";

/** Characters one stream may hold; results of 4 MiB still fit. */
const MAX_CHARACTERS = 8 * 1024 * 1024;

export interface MemoryEventStoreOptions {
  readonly clock: Clock;
  /** Events kept for one stream. */
  readonly events: number;
  /** Milliseconds a stream is kept after its last event. */
  readonly keepMs: number;
}

interface Stream {
  readonly events: StoredEvent[];
  characters: number;
  last: number;
  touched: number;
}

/** Keeps the events of resumable streams in memory, within bounds. */
export class MemoryEventStore implements EventStore {
  readonly #options: MemoryEventStoreOptions;
  readonly #streams = new Map<string, Stream>();

  constructor(options: MemoryEventStoreOptions) {
    this.#options = options;
  }

  append(key: string, data: string): number {
    const stream = this.#streams.get(key) ?? this.#add(key);
    stream.touched = this.#options.clock.monotonic();
    stream.events.push({ sequence: ++stream.last, data });
    stream.characters += data.length;
    while (stream.events.length > this.#options.events || stream.characters > MAX_CHARACTERS) {
      stream.characters -= stream.events.shift()?.data.length ?? 0;
    }
    return stream.last;
  }

  after(key: string, sequence: number): readonly StoredEvent[] | undefined {
    const stream = this.#streams.get(key);
    if (stream === undefined || sequence > stream.last) return undefined;
    const oldest = stream.last - stream.events.length;
    return sequence < oldest ? undefined : stream.events.slice(sequence - oldest);
  }

  drop(key: string): void {
    this.#streams.delete(key);
  }

  sweep(): void {
    const limit = this.#options.clock.monotonic() - this.#options.keepMs;
    for (const stream of this.#streams.values()) {
      if (stream.touched >= limit) continue;
      // The record stays, so that numbers never start again; its owner drops it.
      stream.events.length = 0;
      stream.characters = 0;
    }
  }

  #add(key: string): Stream {
    const stream = { events: [], characters: 0, last: 0, touched: 0 };
    this.#streams.set(key, stream);
    return stream;
  }
}
