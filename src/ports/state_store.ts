import type { GatewayEvent } from "../contract/events.ts";

/** What is kept under a key. */
export type StateArea = "kill_switch" | "definition_pin";

/** An event before the store has given it its cursor. */
export type NewEvent = Omit<GatewayEvent, "cursor">;

/**
 * What a gateway remembers over restarts: operators' switches and the event log. Everything is written before
 * the method returns, so that `kill -9` loses nothing that was acknowledged.
 */
export interface StateStore {
  /** For the status: `sqlite`, `memory`. */
  readonly kind: string;
  /**
   * Stores an event and gives its cursor, strictly increasing, also over restarts. The oldest beyond the
   * store's bound are dropped.
   * @throws when it cannot be written
   */
  append(event: NewEvent): number;
  /** Events with a cursor above `cursor`, oldest first. */
  eventsAfter(cursor: number, limit: number): readonly GatewayEvent[];
  /** Cursors of the oldest event kept and of the newest ever given; 0 when there is none. */
  bounds(): { readonly oldest: number; readonly last: number };
  /** Everything in an area, by key. */
  entries(area: StateArea): ReadonlyMap<string, unknown>;
  /** Stores a JSON value. @throws when it cannot be written */
  put(area: StateArea, key: string, value: unknown): void;
  /** Forgets a key. @throws when it cannot be written */
  remove(area: StateArea, key: string): void;
  close(): void;
}
