import type { EventName, Severity } from "../contract/events.ts";

/** Structured log; the severity comes from the event table. Never blocks, never throws. */
export interface Log {
  write(event: EventName, fields?: Readonly<Record<string, unknown>>): void;
}

/** Least severe level that is written; can be changed while running. */
export interface LogLevels {
  readonly level: Severity;
  setLevel(level: Severity): void;
}
