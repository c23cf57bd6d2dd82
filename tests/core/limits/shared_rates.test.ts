import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SharedRates } from "../../../src/core/limits/shared_rates.ts";
import type { SharedTaken } from "../../../src/ports/replicas.ts";
import { MemoryRateStore } from "../../../src/stores/memory/rate_store.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { ReplicaHub } from "../runtime/replica_hub.ts";

const LIMIT = { count: 60, perMs: 60_000, burst: 3 };

function setUp() {
  const replicas = new ReplicaHub().join();
  const clock = new FakeClock();
  const rates = new SharedRates({ replicas, clock, rates: new MemoryRateStore() });
  const take = async () => await rates.take("k", LIMIT, clock.monotonic());
  return { replicas, clock, rates, take };
}

function taken(used: number, allowed = true): Promise<SharedTaken> {
  const [remaining, retryAfterMs] = allowed ? [LIMIT.burst - used, 0] : [0, 700];
  return Promise.resolve({ allowed, remaining, retryAfterMs, used });
}

describe("SharedRates", () => {
  it("gives what the shared bucket says, and shows it as it was then", async () => {
    const { replicas, rates, take } = setUp();
    replicas.answer = () => taken(2);
    assert.equal((await take()).remaining, 1);
    replicas.answer = () => taken(2.7, false);
    const { allowed, retryAfterMs } = await take();
    assert.deepEqual([allowed, retryAfterMs], [false, 700]);
    assert.deepEqual([...rates.list(0, 0)].map(({ used, rejected }) => [used, rejected]), [
      [2.7, 1],
    ]);
  });

  it("decides alone when the answer does not come, from what it knew", async () => {
    const { replicas, take } = setUp();
    replicas.answer = () => taken(2);
    await take();
    replicas.answer = () => Promise.reject(new Error("late"));
    assert.deepEqual([(await take()).allowed, (await take()).allowed], [true, false]);
  });

  it("asks nobody who is known to be away, and does not wait", () => {
    const { replicas, rates } = setUp();
    replicas.cut();
    let asked = 0;
    replicas.answer = () => {
      asked++;
      return taken(1);
    };
    const decided = rates.take("k", LIMIT, 0);
    assert.ok(!(decided instanceof Promise));
    assert.deepEqual([decided.allowed, decided.remaining, asked], [true, 2, 0]);
  });

  it("goes back to the shared bucket when it can be asked again", async () => {
    const { replicas, take } = setUp();
    replicas.cut();
    for (let call = 0; call < 4; call++) await take();
    replicas.heal();
    replicas.answer = () => taken(1);
    assert.equal((await take()).remaining, 2);
  });
});
