/** What is remembered of definitions, over restarts: in the state store, in a few entries per backend. */
import * as v from "valibot";
import type { StateStore } from "../../ports/state_store.ts";
import { hashText } from "./hash.ts";

const AREA = "definition_pin";
/** Entries of one backend and kind: a first look at 10,000 tools writes so many, a change one of them. */
const BUCKETS = 16;
/** Definitions remembered of one backend. */
const MAX_PINS = 20_000;
/** Characters of all definitions that are kept to show what changed; beyond it only hashes are. */
const MAX_TEXT = 32_000_000;

/** Whose definition. */
export interface PinKey {
  /** Name in the configuration, never the server's own. */
  readonly backend: string;
  readonly kind: "tool" | "prompt";
  readonly original: string;
}

const StoredPin = v.object({
  hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  firstSeen: v.string(),
  approvedBy: v.exactOptional(v.string()),
  approvedAt: v.exactOptional(v.string()),
  previous: v.exactOptional(v.string()),
  /** Canonical JSON; absent when there was no room. */
  definition: v.exactOptional(v.string()),
});
export type Pin = Readonly<v.InferOutput<typeof StoredPin>>;

const StoredBucket = v.object({
  pins: v.array(v.tuple([v.string(), StoredPin])),
  /** What stood here once could not be read: names it does not have may have been in it. */
  damaged: v.optional(v.boolean(), false),
});

interface Bucket {
  readonly pins: ReadonlyMap<string, Pin>;
  readonly damaged: boolean;
}

const EMPTY: Bucket = { pins: new Map(), damaged: false };
const UNREADABLE: Bucket = { pins: new Map(), damaged: true };

/** How a name stands in the book. */
export type Known = Pin | "unknown" | "unreadable";

export class PinBook {
  readonly #store: StateStore;
  #buckets: Map<string, Bucket> | undefined;
  #textLength = 0;

  constructor(store: StateStore) {
    this.#store = store;
  }

  /**
   * Reads the store, if that has not been done; gives how many malformed entries it found.
   * @throws when it cannot be read
   */
  open(): number {
    if (this.#buckets !== undefined) return 0;
    const entries = [...this.#store.entries(AREA)];
    this.#buckets = new Map(entries.map(([key, value]) => [key, bucketOf(value)]));
    for (const { pins } of this.#buckets.values()) {
      for (const pin of pins.values()) this.#textLength += lengthOf(pin);
    }
    return [...this.#buckets.values()].filter((bucket) => bucket === UNREADABLE).length;
  }

  get(key: PinKey): Known {
    const bucket = this.#bucket(addressOf(key));
    const pin = bucket.pins.get(key.original);
    if (pin !== undefined) return pin;
    return bucket.damaged ? "unreadable" : "unknown";
  }

  /** How many more definitions of a backend may be remembered. */
  room(backend: string): number {
    const own = [...this.#buckets ?? []].filter(([address]) => address.startsWith(`${backend}/`));
    return Math.max(0, MAX_PINS - own.reduce((sum, [, { pins }]) => sum + pins.size, 0));
  }

  /**
   * Remembers all of them; in the store when it returns. Entries that were written before a failure stay.
   * @throws when they cannot be written
   */
  put(pins: readonly (readonly [PinKey, Pin])[]): void {
    this.open();
    for (const [address, added] of Map.groupBy(pins, ([key]) => addressOf(key))) {
      const { pins: known, damaged } = this.#bucket(address);
      const next = new Map(known);
      let length = this.#textLength;
      for (const [{ original }, pin] of added) {
        length -= lengthOf(known.get(original));
        const kept = length + lengthOf(pin) > MAX_TEXT ? withoutText(pin) : pin;
        length += lengthOf(kept);
        next.set(original, kept);
      }
      this.#store.put(AREA, address, { pins: [...next], ...(damaged ? { damaged } : {}) });
      this.#buckets?.set(address, { pins: next, damaged });
      this.#textLength = length;
    }
  }

  #bucket(address: string): Bucket {
    return this.#buckets === undefined ? UNREADABLE : this.#buckets.get(address) ?? EMPTY;
  }
}

function bucketOf(value: unknown): Bucket {
  const { success, output } = v.safeParse(StoredBucket, value);
  if (!success) return UNREADABLE;
  return { pins: new Map(output.pins), damaged: output.damaged };
}

function addressOf({ backend, kind, original }: PinKey): string {
  return `${backend}/${kind}/${parseInt(hashText(original).slice(0, 8), 16) % BUCKETS}`;
}

function lengthOf(pin: Pin | undefined): number {
  return pin?.definition?.length ?? 0;
}

function withoutText(pin: Pin): Pin {
  const { definition: _, ...rest } = pin;
  return rest;
}
