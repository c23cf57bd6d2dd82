/** The event log as a stream: each reader has a cursor, so nothing queues up for it. */
import { type GatewayEvent, SentinelError } from "../../contract/mod.ts";
import type { EventLog } from "../../core/mod.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import { frame, type Source } from "./source.ts";
import { turn } from "./turn.ts";

/** Events read at once. */
export const BATCH = 500;
/** Characters of a text after which no further event is added: what a reader that stops can hold. */
const MAX_TEXT = 262_144;

export interface EventSourceOptions {
  readonly events: EventLog;
  readonly clock: Clock;
  /** Of the last event the reader has seen. */
  readonly cursor: number;
  readonly matches: (event: GatewayEvent) => boolean;
}

export class EventSource implements Source {
  readonly lost = 0;
  readonly isOver = false;
  readonly #options: EventSourceOptions;
  #cursor: number;
  #cancel: Cancel | undefined;

  constructor(options: EventSourceOptions) {
    this.#options = options;
    this.#cursor = options.cursor;
  }

  get isWaiting(): boolean {
    return this.#options.events.last > this.#cursor;
  }

  async next(): Promise<string | undefined> {
    const { events, clock, matches } = this.#options;
    const batch = events.after(this.#cursor, BATCH);
    if (batch.length === 0) return undefined;
    let text = this.#gap(batch);
    for (const event of batch) {
      this.#cursor = Number(event.cursor);
      if (matches(event)) text += frame("event", event, event.cursor);
      if (text.length >= MAX_TEXT) break;
    }
    if (text === "") await turn(clock);
    return text + this.#position();
  }

  beat(): string {
    return `: heartbeat\n${this.#position()}`;
  }

  watch(look: () => void): void {
    this.#cancel = this.#options.events.follow(look);
  }

  close(): void {
    this.#cancel?.();
  }

  /** An id without data: a reader resumes behind what its filter left out, too. */
  #position(): string {
    return `id: ${this.#cursor}\n\n`;
  }

  #gap(batch: readonly GatewayEvent[]): string {
    const after = this.#cursor;
    const lost = lostBetween(this.#options.events, after, batch);
    if (lost === 0) return "";
    return frame("gap", { after: String(after), oldest: String(after + lost + 1), lost });
  }
}

/** Events above the cursor that are not kept any more; `0` as cursor asks for what is kept. */
export function lostBetween(
  events: EventLog,
  cursor: number,
  batch: readonly GatewayEvent[],
): number {
  if (cursor === 0) return 0;
  // Looked at after the batch was read: another gateway on the same store may have dropped some of it.
  const oldest = Math.min(events.oldest, Number(batch[0]?.cursor ?? Infinity));
  return Math.max(0, oldest - cursor - 1);
}

/** @throws SentinelError CURSOR_UNKNOWN for a cursor ahead of the log */
export function checkCursor(events: EventLog, cursor: number): void {
  const { last } = events;
  if (cursor <= last) return;
  throw new SentinelError("CURSOR_UNKNOWN", `There is no event ${cursor}: the last is ${last}`, {
    more: { last: String(last) },
  });
}
