import type { EventName } from "../contract/events.ts";

/** Structured log; the severity comes from the event table. Never blocks, never throws. */
export interface Log {
  write(event: EventName, fields?: Readonly<Record<string, unknown>>): void;
}
