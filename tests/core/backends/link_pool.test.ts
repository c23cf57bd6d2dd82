import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SentinelError } from "../../../src/contract/mod.ts";
import type { Link } from "../../../src/core/backends/link.ts";
import { LinkPool, type PoolRequest } from "../../../src/core/backends/link_pool.ts";
import type { Session } from "../../../src/core/session/session.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { proves } from "../../support/proves.ts";

interface Opened {
  readonly request: PoolRequest;
  readonly lose: () => void;
  closed: number;
}

function setUp() {
  const clock = new FakeClock();
  const opened: Opened[] = [];
  const pool = new LinkPool({
    clock,
    open: (request, closed) => {
      const own: Opened = { request, closed: 0, lose: () => closed({} as SentinelError) };
      opened.push(own);
      const close = () => {
        own.closed++;
        return Promise.resolve();
      };
      return Promise.resolve({ close, inFlight: 2 } as unknown as Link);
    },
  });
  return { clock, pool, opened };
}

const shared = (key: string): PoolRequest => ({ key, capabilities: {}, owner: undefined });
const session = (): Session => ({}) as Session;

describe("LinkPool", () => {
  it("opens one link for a key, also for those who come while it opens", async () => {
    const { pool, opened } = setUp();
    const [one, two] = await Promise.all([
      pool.get(session(), shared("a")),
      pool.get(session(), shared("a")),
    ]);
    assert.equal(one, two);
    assert.equal(pool.get(session(), shared("a")), one);
    await pool.get(session(), shared("b"));
    assert.deepEqual([opened.length, pool.size, pool.inFlight], [2, 2, 4]);
    assert.equal(pool.living(session(), shared("a")), one);
    assert.equal(pool.living(session(), shared("c")), undefined);
  });

  it("gives nobody a link alone that another one was given while it lived on", async () => {
    const { pool } = setUp();
    const [one, two, three] = [session(), session(), session()];
    const alone = (user: object) => shared(pool.vacant("principal", user));
    await pool.get(one, alone(one));
    pool.release(one);
    const request = alone(two);
    assert.ok(pool.living(two, request));
    assert.notEqual(alone(three).key, request.key);
    pool.release(two);
    assert.equal(alone(three).key, request.key);
  });

  proves(
    ["G3.4", "U6"],
    "closes a shared link a minute after its last session, an own link at once",
    async () => {
      const { pool, opened, clock } = setUp();
      const [one, two] = [session(), session()];
      await pool.get(one, shared("a"));
      await pool.get(two, shared("a"));
      await pool.get(one, { key: "own", capabilities: {}, owner: one });
      pool.release(one);
      assert.deepEqual(opened.map(({ closed }) => closed), [0, 1]);
      await clock.advance(120_000);
      assert.equal(opened[0]?.closed, 0);
      pool.release(two);
      await clock.advance(50_000);
      assert.equal(opened[0]?.closed, 0);
      await clock.advance(20_000);
      assert.deepEqual([opened[0]?.closed, pool.size], [1, 0]);
    },
  );

  it("forgets a link that was lost and opens another on the next use", async () => {
    const { pool, opened } = setUp();
    await pool.get(session(), shared("a"));
    opened[0]?.lose();
    assert.equal(pool.size, 0);
    await pool.get(session(), shared("a"));
    assert.equal(opened.length, 2);
  });

  it("a failed opening is told to all who wait and not remembered", async () => {
    const failing = new LinkPool({
      clock: new FakeClock(),
      open: () => Promise.reject(new Error("no")),
    });
    const waiting = [failing.get(session(), shared("a")), failing.get(session(), shared("a"))];
    for (const link of waiting) await assert.rejects(Promise.resolve(link), /no/);
    assert.equal(failing.size, 0);
    await failing.close();
  });

  it("closes everything and leaves no timer", async () => {
    const { pool, opened, clock } = setUp();
    await pool.get(session(), shared("a"));
    await pool.close();
    assert.deepEqual([opened[0]?.closed, pool.size, clock.pending], [1, 0, 0]);
  });
});
