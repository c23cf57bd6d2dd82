/** Calls of the last minute, in slots of five seconds: recorded without a look-up, read by the few who ask. */
import type { Traffic } from "../../contract/mod.ts";

const SLOT_MS = 5000;
const SLOTS = 12;
/** Upper bounds in milliseconds; slower calls count as the last one. */
const BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 60_000, 300_000];

interface Slot {
  /** Number of the slot since the clock's zero; an older one is empty. */
  number: number;
  calls: number;
  errors: number;
  readonly buckets: number[];
}

export class RollingTraffic {
  readonly #slots: readonly Slot[] = Array.from({ length: SLOTS }, () => ({
    number: -1,
    calls: 0,
    errors: 0,
    buckets: new Array<number>(BOUNDS_MS.length).fill(0),
  }));

  /** One call that ended at `now` (monotonic ms). */
  record(now: number, durationMs: number, failed: boolean): void {
    const number = Math.floor(now / SLOT_MS);
    const slot = this.#slots[number % SLOTS] as Slot;
    if (slot.number !== number) empty(slot, number);
    slot.calls++;
    if (failed) slot.errors++;
    let bucket = 0;
    while (bucket < BOUNDS_MS.length - 1 && durationMs > (BOUNDS_MS[bucket] as number)) bucket++;
    slot.buckets[bucket] = (slot.buckets[bucket] ?? 0) + 1;
  }

  /** The last minute as of `now` (monotonic ms). */
  read(now: number): Traffic {
    const oldest = Math.floor(now / SLOT_MS) - SLOTS;
    const slots = this.#slots.filter(({ number }) => number > oldest);
    const calls = sum(slots.map((slot) => slot.calls));
    if (calls === 0) return { callsPerMinute: 0, errorRatio: 0 };
    const buckets = BOUNDS_MS.map((_bound, index) =>
      sum(slots.map((slot) => slot.buckets[index] ?? 0))
    );
    return {
      callsPerMinute: calls,
      errorRatio: sum(slots.map((slot) => slot.errors)) / calls,
      p50Ms: quantile(buckets, calls / 2),
      p95Ms: quantile(buckets, calls * 0.95),
    };
  }
}

function empty(slot: Slot, number: number): void {
  slot.number = number;
  slot.calls = 0;
  slot.errors = 0;
  slot.buckets.fill(0);
}

function quantile(buckets: readonly number[], rank: number): number {
  let seen = 0;
  for (const [index, count] of buckets.entries()) {
    seen += count;
    if (seen >= rank) return BOUNDS_MS[index] as number;
  }
  return BOUNDS_MS.at(-1) as number;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
