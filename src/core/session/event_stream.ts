/** One SSE stream to a client. With a store it is resumable: it outlives its connection. */
import type { EventStore, StoredEvent } from "../../ports/event_store.ts";
import { sseComment, sseEvent, sseRetry } from "../mcp/sse.ts";
import type { Channel } from "./channel.ts";

/** Unread bytes of one stream before it is ended: a slow reader must not hold memory. */
const MAX_UNREAD = 1024 * 1024;
/** Signs of life in a row over which a reader took nothing of what waits for it; then the stream is ended. */
const MAX_STUCK_BEATS = 4;
/** Tells clients how long to wait before they come back (milliseconds). */
const RETRY_MS = 1000;
const encoder = new TextEncoder();
const UNREAD = new ByteLengthQueuingStrategy({ highWaterMark: MAX_UNREAD });

export interface EventStreamOptions {
  /** Names the stream within event ids; unique over all sessions. */
  readonly key: string;
  /** Absent: events have no ids and what is not read is lost. */
  readonly store?: EventStore;
  /** Sends an event with an id and no data first (revision 2025-11-25 and later). */
  readonly priming?: boolean;
  /** JSON texts of the ids of the requests it answers; absent for one that belongs to no request. */
  readonly requests?: readonly string[];
  /** Stream of another replica whose events it carries; absent: they are its own. */
  readonly origin?: string;
  /** The client went away or read too slowly. */
  readonly onGone?: (reason: "closed" | "overflow") => void;
}

/** Reads a stream in place of a connection. Neither may throw. */
export interface StreamReader {
  event(event: StoredEvent): void;
  /** Nothing more comes: the stream has ended, or somebody else reads it. */
  end(): void;
}

/** Events of another stream that a connection has to get first. */
export interface ForeignEvents {
  readonly key: string;
  readonly events: readonly StoredEvent[];
}

type Controller = ReadableStreamDefaultController<Uint8Array>;

export class EventStream implements Channel {
  readonly #options: EventStreamOptions;
  #controller: Controller | undefined;
  #reader: StreamReader | undefined;
  #ended = false;
  /** Last event written to a connection. */
  #written = 0;
  /** Bytes given to this connection, and those its reader had taken at the last sign of life. */
  #given = 0;
  #taken = 0;
  #stuckBeats = 0;

  constructor(options: EventStreamOptions) {
    this.#options = options;
  }

  get key(): string {
    return this.#options.key;
  }

  /** Stream of another replica whose events it carries; undefined: they are its own. */
  get origin(): string | undefined {
    return this.#options.origin;
  }

  get requests(): readonly string[] {
    return this.#options.requests ?? [];
  }

  /** A connection is reading, or another replica. */
  get attached(): boolean {
    return this.#controller !== undefined || this.#reader !== undefined;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Body for a connection that starts where the last one stopped writing. */
  open(before?: ForeignEvents): ReadableStream<Uint8Array> {
    const { store, key, priming } = this.#options;
    const missed = store?.after(key, this.#written) ?? [];
    if (priming === true && missed.length === 0) store?.append(key, "");
    return this.#attach(store?.after(key, this.#written) ?? [], before);
  }

  /** Body for a connection that has read up to `sequence`; undefined when events are gone. */
  resume(sequence: number): ReadableStream<Uint8Array> | undefined {
    const missed = this.#options.store?.after(this.#options.key, sequence);
    if (missed === undefined) return undefined;
    this.#detach();
    return this.#attach(missed);
  }

  /**
   * Lets another replica read from the event after `sequence` on, or from where the last connection stopped
   * writing. Gives what ends that; undefined when events are gone.
   */
  follow(sequence: number | undefined, reader: StreamReader): (() => void) | undefined {
    const missed = this.#options.store?.after(this.#options.key, sequence ?? this.#written);
    if (missed === undefined) return undefined;
    this.#detach();
    this.#reader = reader;
    for (const event of missed) this.#read(reader, event);
    if (this.#ended) this.#detach();
    return () => {
      if (this.#reader === reader) this.#reader = undefined;
    };
  }

  /** Events from the one after `sequence` on are kept, if there are any. */
  canFollow(sequence: number): boolean {
    return this.#options.store?.after(this.#options.key, sequence) !== undefined;
  }

  /** Writes an event of the stream it carries. */
  carry(event: StoredEvent): void {
    if (this.#controller !== undefined) this.#writeStored(this.#controller, event);
  }

  send(text: string): boolean {
    if (this.#ended) return false;
    const { store, key } = this.#options;
    const sequence = store?.append(key, text);
    if (this.#reader !== undefined && sequence !== undefined) {
      this.#read(this.#reader, { sequence, data: text });
      return true;
    }
    const controller = this.#controller;
    if (controller === undefined) return sequence !== undefined;
    if (sequence === undefined) this.#write(controller, sseEvent({ event: "message", data: text }));
    else this.#writeStored(controller, { sequence, data: text });
    return true;
  }

  /** Sends an event of another name, which is never stored. */
  announce(event: string, data: string): void {
    if (this.#controller !== undefined) this.#write(this.#controller, sseEvent({ event, data }));
  }

  /** Keeps intermediaries from closing a quiet stream; ends one whose reader has stopped to read. */
  beat(): void {
    const controller = this.#controller;
    if (controller === undefined) return;
    if (this.#isStuck(controller)) this.#overflow();
    else this.#write(controller, sseComment("keep-alive"));
  }

  /** Ends the connection, not the stream: its reader is told to come back. */
  dismiss(): void {
    if (this.#controller !== undefined) this.#write(this.#controller, sseRetry(RETRY_MS));
    this.#detach();
  }

  /** No more events; what is stored can still be fetched. */
  end(): void {
    if (!this.#ended) this.#options.store?.end?.(this.#options.key);
    this.#ended = true;
    this.#detach();
  }

  /** Forgets what is stored. */
  drop(): void {
    this.#options.store?.drop(this.#options.key);
  }

  /** Nobody reads it from now on; what comes is kept for who comes next. */
  release(): void {
    this.#detach();
  }

  #attach(
    missed: readonly StoredEvent[],
    before?: ForeignEvents,
  ): ReadableStream<Uint8Array> {
    let own: Controller;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        own = controller;
        this.#controller = controller;
        this.#given = this.#taken = this.#stuckBeats = 0;
        this.#catchUp(controller, missed, before);
        if (this.#ended) this.#detach();
      },
      cancel: () => {
        if (this.#controller !== own) return;
        this.#controller = undefined;
        this.#options.onGone?.("closed");
      },
    }, UNREAD);
  }

  /** Who is given more than it may have unread comes back for the rest. */
  #catchUp(
    controller: Controller,
    missed: readonly StoredEvent[],
    before: ForeignEvents | undefined,
  ): void {
    for (const event of before?.events ?? []) {
      if (this.#controller !== controller) return;
      this.#write(controller, frameOf(before?.key ?? "", event));
    }
    for (const event of missed) {
      if (this.#controller !== controller) return;
      this.#writeStored(controller, event);
    }
  }

  #detach(): void {
    const controller = this.#controller;
    const reader = this.#reader;
    this.#controller = undefined;
    this.#reader = undefined;
    controller?.close();
    reader?.end();
  }

  #read(reader: StreamReader, event: StoredEvent): void {
    this.#written = event.sequence;
    reader.event(event);
  }

  #write(controller: Controller, frame: string): void {
    const bytes = encoder.encode(frame);
    this.#given += bytes.length;
    controller.enqueue(bytes);
    if ((controller.desiredSize ?? 0) < 0 && this.#controller === controller) this.#overflow();
  }

  #overflow(): void {
    this.#detach();
    this.#options.onGone?.("overflow");
  }

  #isStuck({ desiredSize }: Controller): boolean {
    const unread = MAX_UNREAD - (desiredSize ?? MAX_UNREAD);
    const taken = this.#given - unread;
    this.#stuckBeats = unread > 0 && taken === this.#taken ? this.#stuckBeats + 1 : 0;
    this.#taken = taken;
    return this.#stuckBeats >= MAX_STUCK_BEATS;
  }

  #writeStored(controller: Controller, event: StoredEvent): void {
    this.#written = event.sequence;
    this.#write(controller, frameOf(this.#options.origin ?? this.#options.key, event));
  }
}

function frameOf(key: string, { sequence, data }: StoredEvent): string {
  const id = `${key}_${sequence}`;
  // An event without data only gives the client an id to come back with (2025-11-25, polling).
  return data === ""
    ? sseEvent({ id, data, retry: RETRY_MS })
    : sseEvent({ id, event: "message", data });
}

/** Takes an event id apart; undefined for one that is not ours. */
export function parseEventId(
  id: string,
): { readonly key: string; readonly sequence: number } | undefined {
  const match = /^([\w-]{1,128})_(\d{1,15})$/.exec(id);
  if (match === null) return undefined;
  return { key: match[1] as string, sequence: Number(match[2]) };
}
