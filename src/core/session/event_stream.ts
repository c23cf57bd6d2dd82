/** One SSE stream to a client. With a store it is resumable: it outlives its connection. */
import type { EventStore, StoredEvent } from "../../ports/event_store.ts";
import { sseComment, sseEvent } from "../mcp/sse.ts";
import type { Channel } from "./channel.ts";

/** Unread bytes of one stream before it is ended: a slow reader must not hold memory. */
const MAX_UNREAD = 1024 * 1024;
/** Tells clients how long to wait before they come back (milliseconds). */
const RETRY_MS = 1000;
const encoder = new TextEncoder();

export interface EventStreamOptions {
  /** Names the stream within event ids; unique over all sessions. */
  readonly key: string;
  /** Absent: events have no ids and what is not read is lost. */
  readonly store?: EventStore;
  /** Sends an event with an id and no data first (revision 2025-11-25 and later). */
  readonly priming?: boolean;
  /** The client went away or read too slowly. */
  readonly onGone?: (reason: "closed" | "overflow") => void;
}

type Controller = ReadableStreamDefaultController<Uint8Array>;

export class EventStream implements Channel {
  readonly #options: EventStreamOptions;
  #controller: Controller | undefined;
  #ended = false;
  /** Last event written to a connection. */
  #written = 0;

  constructor(options: EventStreamOptions) {
    this.#options = options;
  }

  get key(): string {
    return this.#options.key;
  }

  /** A connection is reading. */
  get attached(): boolean {
    return this.#controller !== undefined;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Body for a connection that starts where the last one stopped writing. */
  open(): ReadableStream<Uint8Array> {
    const { store, key, priming } = this.#options;
    const missed = store?.after(key, this.#written) ?? [];
    if (priming === true && missed.length === 0) store?.append(key, "");
    return this.#attach(store?.after(key, this.#written) ?? []);
  }

  /** Body for a connection that has read up to `sequence`; undefined when events are gone. */
  resume(sequence: number): ReadableStream<Uint8Array> | undefined {
    const missed = this.#options.store?.after(this.#options.key, sequence);
    if (missed === undefined) return undefined;
    this.#detach();
    return this.#attach(missed);
  }

  send(text: string): boolean {
    if (this.#ended) return false;
    const { store, key } = this.#options;
    const sequence = store?.append(key, text);
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

  /** Keeps intermediaries from closing a quiet stream. */
  beat(): void {
    if (this.#controller !== undefined) this.#write(this.#controller, sseComment("keep-alive"));
  }

  /** No more events; what is stored can still be fetched. */
  end(): void {
    this.#ended = true;
    this.#detach();
  }

  /** Forgets what is stored. */
  drop(): void {
    this.#options.store?.drop(this.#options.key);
  }

  #attach(missed: readonly StoredEvent[]): ReadableStream<Uint8Array> {
    let own: Controller;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        own = controller;
        this.#controller = controller;
        for (const event of missed) this.#writeStored(controller, event);
        if (this.#ended) this.#detach();
      },
      cancel: () => {
        if (this.#controller !== own) return;
        this.#controller = undefined;
        this.#options.onGone?.("closed");
      },
    }, { highWaterMark: MAX_UNREAD, size: (chunk) => chunk?.byteLength ?? 0 });
  }

  #detach(): void {
    const controller = this.#controller;
    this.#controller = undefined;
    controller?.close();
  }

  #write(controller: Controller, frame: string): void {
    controller.enqueue(encoder.encode(frame));
    if ((controller.desiredSize ?? 0) >= 0 || this.#controller !== controller) return;
    this.#detach();
    this.#options.onGone?.("overflow");
  }

  #writeStored(controller: Controller, { sequence, data }: StoredEvent): void {
    this.#written = sequence;
    const id = `${this.#options.key}_${sequence}`;
    // An event without data only gives the client an id to come back with (2025-11-25, polling).
    this.#write(
      controller,
      data === ""
        ? sseEvent({ id, data, retry: RETRY_MS })
        : sseEvent({ id, event: "message", data }),
    );
  }
}

/** Takes an event id apart; undefined for one that is not ours. */
export function parseEventId(
  id: string,
): { readonly key: string; readonly sequence: number } | undefined {
  const match = /^([\w-]{1,128})_(\d{1,15})$/.exec(id);
  if (match === null) return undefined;
  return { key: match[1] as string, sequence: Number(match[2]) };
}
