import type { GatewayEvent } from "../../contract/events.ts";
import { SentinelError } from "../../contract/errors.ts";
import type { NewEvent, StateArea, StateStore } from "../../ports/state_store.ts";

export interface MemoryStateOptions {
  /** Events kept; 10,000 by default. */
  readonly maxEvents?: number;
  /** Keys one area may hold; 10,000 by default. */
  readonly maxKeys?: number;
}

/** An event with its fields as text, so that nobody can change what is kept. */
interface Kept extends Omit<NewEvent, "fields"> {
  readonly fields: string;
}

/** Remembers until the process ends: for gateways without a state folder, for isolates and tests. */
export class MemoryStateStore implements StateStore {
  readonly kind = "memory";
  readonly #maxEvents: number;
  readonly #maxKeys: number;
  readonly #step: number;
  readonly #events: Kept[] = [];
  readonly #areas = new Map<StateArea, Map<string, string>>();
  #last = 0;

  constructor({ maxEvents = 10_000, maxKeys = 10_000 }: MemoryStateOptions = {}) {
    this.#maxEvents = maxEvents;
    this.#maxKeys = maxKeys;
    this.#step = Math.ceil(maxEvents / 100);
  }

  append({ at, event, severity, fields }: NewEvent): number {
    // In steps: taking one from the front moves all the others.
    if (this.#events.length === this.#maxEvents) this.#events.splice(0, this.#step);
    this.#events.push({ at, event, severity, fields: JSON.stringify(fields) });
    return ++this.#last;
  }

  eventsAfter(cursor: number, limit: number): readonly GatewayEvent[] {
    const gone = this.#last - this.#events.length;
    const start = Math.max(cursor - gone, 0);
    return this.#events.slice(start, start + limit).map((kept, index) => ({
      ...kept,
      cursor: String(gone + start + index + 1),
      fields: JSON.parse(kept.fields) as GatewayEvent["fields"],
    }));
  }

  bounds(): { readonly oldest: number; readonly last: number } {
    const count = this.#events.length;
    return { oldest: count === 0 ? 0 : this.#last - count + 1, last: this.#last };
  }

  entries(area: StateArea): ReadonlyMap<string, unknown> {
    const entries = [...this.#areas.get(area) ?? []];
    return new Map(entries.map(([key, value]) => [key, JSON.parse(value) as unknown]));
  }

  put(area: StateArea, key: string, value: unknown): void {
    const keys = this.#areas.get(area) ?? new Map<string, string>();
    this.#areas.set(area, keys);
    if (!keys.has(key) && keys.size >= this.#maxKeys) {
      const reason = `${this.#maxKeys} entries of "${area}" are kept in memory already`;
      throw new SentinelError("OVERLOADED", `Cannot keep "${key}": ${reason}; remove some`, {
        reason,
      });
    }
    keys.set(key, JSON.stringify(value));
  }

  remove(area: StateArea, key: string): void {
    this.#areas.get(area)?.delete(key);
  }

  close(): void {}
}
