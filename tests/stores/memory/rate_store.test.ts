import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { BucketLimit } from "../../../src/ports/rate_store.ts";
import { MemoryRateStore } from "../../../src/stores/memory/rate_store.ts";
import { seeded } from "../../core/catalog/support.ts";
import { limit, rateStoreSuite } from "../rate_store_suite.ts";

const MINUTE = 60_000;

/** How many of `calls` at one moment are allowed. */
function allowed(
  store: MemoryRateStore,
  { key = "k", limit, now, calls }: {
    readonly key?: string;
    readonly limit: BucketLimit;
    readonly now: number;
    readonly calls: number;
  },
): number {
  let sum = 0;
  for (let call = 0; call < calls; call++) if (store.take(key, limit, now).allowed) sum++;
  return sum;
}

/** Nothing but the moments of the calls that were allowed: what a limit means, at any cost. */
class Model {
  readonly #limit: BucketLimit;
  readonly #taken: number[] = [];

  constructor(limit: BucketLimit) {
    this.#limit = limit;
  }

  /** A call is too many when there were more, from some earlier call on, than burst and what came back. */
  take(now: number): boolean {
    const { count, perMs, burst } = this.#limit;
    const moments = [...this.#taken, now];
    for (let from = 0; from < moments.length; from++) {
      const came = moments.length - from;
      const back = (now - (moments[from] as number)) * count / perMs;
      if (came > burst + back + 1e-6) return false;
    }
    this.#taken.push(now);
    return true;
  }
}

describe("MemoryRateStore", () => {
  rateStoreSuite(async (test) => {
    const store = new MemoryRateStore();
    let now = 0;
    await test({
      take: (key, limit) => Promise.resolve(store.take(key, limit, now)),
      pass: (ms) => Promise.resolve(void (now += ms)),
      slackMs: 0,
    });
  });

  it("agrees with the definition, and waiting as long as it says is always enough", () => {
    const random = seeded(27);
    const upTo = (most: number) => Math.floor(random() * most);
    for (let round = 0; round < 300; round++) {
      const perMs = [1000, MINUTE, 3_600_000][upTo(3)] as number;
      const some = limit(1 + upTo(200), perMs, 1 + upTo(12));
      const store = new MemoryRateStore();
      const model = new Model(some);
      // Monotonic time has fractions, and begins anywhere.
      let now = random() * 1e9;
      for (let call = 0; call < 60; call++) {
        const taken = store.take("k", some, now);
        const what = JSON.stringify({ round, call, some, now, taken });
        assert.equal(taken.allowed, model.take(now), what);
        if (!taken.allowed && random() < 0.3) {
          now += taken.retryAfterMs;
          assert.equal(store.take("k", some, now).allowed, true, what);
          assert.equal(model.take(now), true, what);
        }
        now += random() < 0.5 ? 0 : random() * 3 * perMs / some.count;
      }
    }
  });

  it("10,000 callers are 10,000 buckets, and never more than there may be", () => {
    const store = new MemoryRateStore({ maxBuckets: 1000 });
    const one = limit(1, MINUTE, 1);
    for (let caller = 0; caller < 10_000; caller++) store.take(`caller ${caller}`, one, caller);
    assert.equal(store.size, 1000);
    const large = new MemoryRateStore();
    for (let caller = 0; caller < 10_000; caller++) {
      assert.equal(large.take(`caller ${caller}`, one, 0).allowed, true);
    }
    for (let caller = 0; caller < 10_000; caller++) {
      assert.equal(large.take(`caller ${caller}`, one, 0).allowed, false);
    }
  });

  it("forgets full buckets before those in use, the oldest first", () => {
    const store = new MemoryRateStore({ maxBuckets: 4 });
    const slow = limit(1, 3_600_000, 1);
    const quick = limit(1, 1000, 1);
    for (const key of ["slow 1", "slow 2"]) store.take(key, slow, 0);
    for (const key of ["quick 1", "quick 2"]) store.take(key, quick, 0);
    const keys = () => [...store.list(0, 5000)].map(({ key }) => key);
    store.take("new 1", slow, 5000);
    assert.deepEqual(keys(), ["slow 1", "slow 2", "quick 2", "new 1"]);
    store.take("new 2", slow, 5000);
    assert.deepEqual(keys(), ["slow 1", "slow 2", "new 1", "new 2"]);
    assert.equal(store.take("slow 1", slow, 5000).allowed, false);
  });

  it("shows what each bucket has used, refused and waits for", () => {
    const store = new MemoryRateStore();
    const few = limit(60, MINUTE, 2);
    allowed(store, { key: "a", limit: few, now: 0, calls: 5 });
    allowed(store, { key: "b", limit: few, now: 0, calls: 1 });
    assert.deepEqual([...store.list(0, 500)], [
      { number: 1, key: "a", limit: few, used: 1.5, rejected: 3, nextMs: 500 },
      { number: 2, key: "b", limit: few, used: 0.5, rejected: 0, nextMs: 0 },
    ]);
    assert.deepEqual([...store.list(1, 500)].map(({ key }) => key), ["b"]);
  });

  it("goes on from what was decided elsewhere", () => {
    const store = new MemoryRateStore();
    const few = limit(60, MINUTE, 3);
    store.note("k", few, 0, { allowed: true, used: 2.5 });
    store.note("k", few, 0, { allowed: false, used: 2.5 });
    assert.deepEqual([...store.list(0, 0)], [
      { number: 1, key: "k", limit: few, used: 2.5, rejected: 1, nextMs: 500 },
    ]);
    assert.equal(store.take("k", few, 0).allowed, false);
    assert.equal(store.take("k", few, 500).allowed, true);
  });

  it("sweeps what was full for five minutes, nothing else", () => {
    const store = new MemoryRateStore();
    store.take("idle", limit(1, 1000, 1), 0);
    store.take("in use", limit(1, 3_600_000, 1), 0);
    store.sweep(5 * MINUTE - 1);
    assert.equal(store.size, 2);
    store.sweep(5 * MINUTE);
    assert.deepEqual([...store.list(0, 0)].map(({ key }) => key), ["in use"]);
  });
});
