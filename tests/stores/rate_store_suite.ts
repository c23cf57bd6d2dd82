/** What taking from a bucket means, wherever it is counted. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BucketLimit, Taken } from "../../src/ports/rate_store.ts";

const HOUR = 3_600_000;

/** Buckets whose time a test can move. */
export interface RateHarness {
  take(key: string, limit: BucketLimit): Promise<Taken>;
  /** Lets time pass for all buckets. */
  pass(ms: number): Promise<void>;
  /** Most milliseconds that pass by themselves during a test. */
  readonly slackMs: number;
}

export function limit(count: number, perMs: number, burst: number): BucketLimit {
  return { count, perMs, burst };
}

/** How many of `calls` are allowed, one after the other. */
export async function allowed(
  store: Pick<RateHarness, "take">,
  { key = "k", limit, calls }: {
    readonly key?: string;
    readonly limit: BucketLimit;
    readonly calls: number;
  },
): Promise<number> {
  let sum = 0;
  for (let call = 0; call < calls; call++) if ((await store.take(key, limit)).allowed) sum++;
  return sum;
}

/** @param run calls the test with empty buckets */
export function rateStoreSuite(
  run: (test: (harness: RateHarness) => Promise<void>) => Promise<void>,
): void {
  const on = (name: string, body: (harness: RateHarness) => Promise<void>) =>
    void test(name, () => run(body));

  on("lets a burst through, then what the rate gives back, never more than a burst", async (to) => {
    const few = limit(60, 60 * HOUR, 3);
    assert.equal(await allowed(to, { limit: few, calls: 10 }), 3);
    await to.pass(HOUR / 2);
    assert.equal(await allowed(to, { limit: few, calls: 10 }), 0);
    await to.pass(HOUR / 2);
    assert.equal(await allowed(to, { limit: few, calls: 10 }), 1);
    await to.pass(1000 * HOUR);
    assert.equal(await allowed(to, { limit: few, calls: 10 }), 3);
  });

  on("says how many are left, and when the next is allowed", async (to) => {
    const few = limit(5, 5 * HOUR, 2);
    const { slackMs } = to;
    const refused = (taken: Taken, waitMs: number) => {
      assert.deepEqual([taken.allowed, taken.remaining], [false, 0]);
      assert.ok(Number.isInteger(taken.retryAfterMs), String(taken.retryAfterMs));
      const early = waitMs - taken.retryAfterMs;
      assert.ok(early >= 0 && early <= slackMs, `${taken.retryAfterMs} of ${waitMs}`);
    };
    assert.deepEqual(known(await to.take("k", few)), [true, 0, 1]);
    assert.deepEqual(known(await to.take("k", few)), [true, 0, 0]);
    refused(await to.take("k", few), HOUR);
    await to.pass(HOUR / 4);
    refused(await to.take("k", few), 3 * HOUR / 4);
    await to.pass(3 * HOUR / 4);
    assert.equal((await to.take("k", few)).allowed, true);
  });

  on("a refusal takes nothing", async (to) => {
    const one = limit(1, HOUR, 1);
    assert.equal(await allowed(to, { limit: one, calls: 1 }), 1);
    assert.equal(await allowed(to, { limit: one, calls: 50 }), 0);
    await to.pass(HOUR);
    assert.equal(await allowed(to, { limit: one, calls: 2 }), 1);
  });

  on("another limit holds at once, and what was used stays used", async (to) => {
    assert.equal(await allowed(to, { limit: limit(60, 60 * HOUR, 10), calls: 9 }), 9);
    assert.equal(await allowed(to, { limit: limit(60, 60 * HOUR, 12), calls: 20 }), 3);
    assert.equal(await allowed(to, { limit: limit(60, 60 * HOUR, 2), calls: 20 }), 0);
    // The smaller burst is not paid for with what the larger one had allowed.
    await to.pass(2 * HOUR);
    assert.equal(await allowed(to, { limit: limit(60, 60 * HOUR, 2), calls: 20 }), 2);
  });

  on("what has passed counts by the limit it passed under", async (to) => {
    const slow = limit(1, HOUR, 4);
    const quick = limit(4, HOUR, 4);
    assert.equal(await allowed(to, { limit: slow, calls: 5 }), 4);
    await to.pass(HOUR);
    // A quick one would have given four back.
    assert.equal(await allowed(to, { limit: quick, calls: 5 }), 1);
    await to.pass(HOUR / 2);
    // The refusal has made the quick one that of the bucket.
    assert.equal(await allowed(to, { limit: slow, calls: 5 }), 2);
  });

  on("keys do not meet, whatever is in them", async (to) => {
    const one = limit(1, HOUR, 1);
    for (const key of HOSTILE) assert.equal(await allowed(to, { key, limit: one, calls: 3 }), 1);
    for (const key of HOSTILE) assert.equal(await allowed(to, { key, limit: one, calls: 1 }), 0);
  });
}

/** What names and callers may hold at worst. */
export const HOSTILE: readonly string[] = [
  "plain",
  "a\r\nSET injected 1\r\n",
  "*1\r\n$8\r\nFLUSHALL\r\n",
  "$-1\r\n",
  "\0\0",
  "\0",
  `'"\\"; DROP TABLE event; --`,
  "%s %n {} [[ ]] ]] -- ",
  "Zürich 🛰 \u2028",
  "#",
  "#a",
  "x".repeat(10_000),
  "x".repeat(10_000) + "\n",
  "x".repeat(199) + "y",
];

function known({ allowed, retryAfterMs, remaining }: Taken) {
  return [allowed, retryAfterMs, remaining];
}
