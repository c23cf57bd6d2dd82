/** Ends a timer or a sweep; calling it twice is harmless. */
export type Cancel = () => void;

/** The only source of time and timers. */
export interface Clock {
  /** Wall time, milliseconds since 1970. For people and records, never for deadlines. */
  now(): number;
  /** Monotonic milliseconds. For durations and deadlines. */
  monotonic(): number;
  /** Calls `run` once after `ms`. */
  after(ms: number, run: () => void): Cancel;
  /** Calls `run` every `ms`. One sweep over many deadlines replaces a timer for each. */
  every(ms: number, run: () => void): Cancel;
}
