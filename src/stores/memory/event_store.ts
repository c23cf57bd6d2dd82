import type { Clock } from "../../ports/clock.ts";
import type { EventStore, StoredEvent } from "../../ports/event_store.ts";

/** Characters one stream may hold; results of 4 MiB still fit. */
const MAX_CHARACTERS = 8 * 1024 * 1024;
/** Characters of all streams together; beyond it the streams that were quiet the longest lose theirs. */
const MAX_ALL_CHARACTERS = 64 * 1024 * 1024;

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
  /** Those that hold events, the one that was quiet the longest first. */
  readonly #holding = new Set<Stream>();
  #characters = 0;

  constructor(options: MemoryEventStoreOptions) {
    this.#options = options;
  }

  append(key: string, data: string): number {
    const stream = this.#streams.get(key) ?? this.#add(key);
    stream.touched = this.#options.clock.monotonic();
    stream.events.push({ sequence: ++stream.last, data });
    this.#count(stream, data.length);
    while (stream.events.length > this.#options.events || stream.characters > MAX_CHARACTERS) {
      this.#count(stream, -(stream.events.shift()?.data.length ?? 0));
    }
    this.#holding.delete(stream);
    this.#holding.add(stream);
    this.#makeRoom(stream);
    return stream.last;
  }

  after(key: string, sequence: number): readonly StoredEvent[] | undefined {
    const stream = this.#streams.get(key);
    if (stream === undefined || sequence > stream.last) return undefined;
    const oldest = stream.last - stream.events.length;
    return sequence < oldest ? undefined : stream.events.slice(sequence - oldest);
  }

  drop(key: string): void {
    const stream = this.#streams.get(key);
    if (stream !== undefined) this.#empty(stream);
    this.#streams.delete(key);
  }

  sweep(): void {
    const limit = this.#options.clock.monotonic() - this.#options.keepMs;
    for (const stream of this.#holding) {
      if (stream.touched >= limit) return;
      this.#empty(stream);
    }
  }

  #makeRoom(newest: Stream): void {
    for (const stream of this.#holding) {
      if (this.#characters <= MAX_ALL_CHARACTERS || stream === newest) return;
      this.#empty(stream);
    }
  }

  /** The record stays, so that numbers never start again; its owner drops it. */
  #empty(stream: Stream): void {
    this.#count(stream, -stream.characters);
    stream.events.length = 0;
    this.#holding.delete(stream);
  }

  #count(stream: Stream, characters: number): void {
    stream.characters += characters;
    this.#characters += characters;
  }

  #add(key: string): Stream {
    const stream = { events: [], characters: 0, last: 0, touched: 0 };
    this.#streams.set(key, stream);
    return stream;
  }
}
