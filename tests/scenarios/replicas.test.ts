/** Two gateways that are replicas over a real Redis, and what becomes of them when it fails (T63). */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ADMIN_TOKEN, ManagedGateway } from "../proofs/managed_gateway.ts";
import { AUDIENCE, secretKey, tokenOf } from "../core/auth/tokens.ts";
import { type RunningServer, startEchoServer } from "../support/echo_server.ts";
import { HttpSession, overHttp } from "../support/http_session.ts";
import { proves } from "../support/proves.ts";
import { RedisServer } from "../support/redis.ts";
import { stopAll } from "./stop_all.ts";
import { until } from "./until.ts";

const BURST = 30;
const WAIT_MS = 30_000;
const TIMEOUT = { timeout: 180_000 };

function put(gateway: ManagedGateway, target: string) {
  const body = { reason: "INC-7" };
  return gateway.ask(`/kill-switches/${target}`, { method: "PUT", body });
}

function clear(gateway: ManagedGateway, target: string) {
  return gateway.ask(`/kill-switches/${target}`, { method: "DELETE" });
}

async function namesOf(gateway: ManagedGateway): Promise<string[]> {
  const { body } = await gateway.ask("/kill-switches");
  return (body.items as readonly { readonly name: string }[]).map(({ name }) => name);
}

function count(gateway: ManagedGateway, event: string): number {
  return gateway.stderr.split(`"${event}"`).length - 1;
}

interface Made {
  readonly answered: number;
  readonly refused: readonly unknown[];
  readonly longestMs: number;
}

/** Calls one after the other until told to stop. */
async function callOn(session: HttpSession, stop: { readonly wanted: boolean }): Promise<Made> {
  const refused: unknown[] = [];
  let [answered, longestMs] = [0, 0];
  while (!stop.wanted) {
    const begun = performance.now();
    const { error } = await session.call("echo__echo", { text: "x" });
    longestMs = Math.max(longestMs, performance.now() - begun);
    if (error === undefined) answered++;
    else refused.push(error);
  }
  return { answered, refused, longestMs };
}

describe("replicas", TIMEOUT, () => {
  let redis: RedisServer;
  let echo: RunningServer;
  let a: ManagedGateway;
  let b: ManagedGateway;
  let callers = 0;

  const start = () =>
    ManagedGateway.start({
      audit: { store: "off" },
      auth: {
        mode: "jwt",
        jwt: [{ issuer: "idp", audience: AUDIENCE, secret: "${env:PROOF_ADMIN}" }],
      },
      roles: { default: { tools: ["*"] }, small: { tools: ["*"] } },
      limits: {
        default: { rate: "100000/s", burst: 100_000 },
        roles: { small: { rate: `${BURST}/h`, burst: BURST } },
      },
      sessions: { store: "redis", url: redis.url },
      backends: { echo: { url: echo.url } },
      telemetry: { log: { level: "info" } },
    });

  before(async () => {
    redis = await RedisServer.start({ appendonly: true });
    echo = await startEchoServer();
    [a, b] = await Promise.all([start(), start()]);
    await Promise.all([isReady(a), isReady(b)]);
  }, TIMEOUT);
  after(
    () => stopAll([() => a.remove(), () => b.remove(), () => echo.close(), () => redis.stop()]),
    TIMEOUT,
  );

  async function open(
    { url }: ManagedGateway,
    sub: string,
    role = "default",
  ): Promise<HttpSession> {
    const claims = { sub, roles: [role] };
    const key = secretKey("HS256", ADMIN_TOKEN);
    const token = await tokenOf(key, { issuer: "idp", now: Date.now(), claims });
    const headers = { authorization: `Bearer ${token}` };
    return await HttpSession.open(overHttp(url.href), { headers });
  }

  const caller = (): string => `caller-${++callers}`;
  const isReady = (gateway: ManagedGateway) =>
    until(async () => {
      assert.equal((await gateway.ask("/status")).body.state, "ready");
    }, WAIT_MS);

  /** Calls a caller gets through on both, asking for twice as many as are allowed. */
  async function together(sub: string): Promise<number> {
    const sessions = await Promise.all([a, b].map((one) => open(one, sub, "small")));
    const counts = await Promise.all(sessions.map(async (session) => {
      let allowed = 0;
      for (let turn = 0; turn < BURST / 10; turn++) {
        const answers = await Promise.all(
          Array.from({ length: 10 }, () => session.call("echo__echo", { text: "x" })),
        );
        for (const { error } of answers) {
          if (error === undefined) allowed++;
          else assert.equal(error.data.code, "RATE_LIMITED");
        }
      }
      return allowed;
    }));
    return counts.reduce((sum, one) => sum + one);
  }

  proves("G6.1", "a caller has one limit, however many gateways it asks", async () => {
    const outages = () => count(a, "store.failed") + count(b, "store.failed");
    // A machine that stood still for long makes a gateway go on alone, as it should: then it is no answer.
    for (let attempt = 1;; attempt++) {
      const before = outages();
      const allowed = await together(caller());
      if (outages() !== before && attempt < 5) continue;
      assert.equal(allowed, BURST);
      break;
    }
    const { body } = await a.ask("/limits");
    const [shown] = body.items;
    assert.equal(shown.burst, BURST);
    assert.ok(shown.used > 0 && shown.rejected > 0, JSON.stringify(shown));
  });

  proves(
    ["G6.3", "G6.4"],
    "a switch set on one refuses on the other, and so when cleared",
    async () => {
      for (const path of ["tools/echo__*", "backends/echo"]) {
        const target = path.split("/").map(encodeURIComponent).join("/");
        const session = await open(b, caller());
        const set = await put(a, target);
        assert.equal(set.body.outcome, "applied", JSON.stringify(set.body));
        await until(async () => {
          const { error } = await session.call("echo__echo", { text: "x" });
          assert.equal(error?.data.reason, "INC-7");
        }, WAIT_MS);
        const { body } = await b.ask("/kill-switches");
        assert.deepEqual(
          body.items.map(({ from, reason }: Record<string, unknown>) => [from, reason]),
          [
            ["operator", "INC-7"],
          ],
        );
        assert.equal((await clear(b, target)).body.outcome, "applied");
        await until(async () => assert.deepEqual(await namesOf(a), []), WAIT_MS);
      }
    },
  );

  it("Redis killed under calls: none fails, none waits for it, and it is found again", async () => {
    const { stop, done } = await underCalls();
    await sleep(300);
    await redis.kill();
    await until(() => {
      for (const one of [a, b]) {
        assert.ok(count(one, "store.failed") > count(one, "store.recovered"));
      }
    }, WAIT_MS);
    const degraded = (await a.ask("/status")).body;
    assert.equal(degraded.state, "degraded");
    assert.match(degraded.reasons.join(), /shared store: /);
    const set = await put(a, "tools/cut");
    assert.equal(set.body.outcome, "partial");
    assert.deepEqual([await namesOf(a), await namesOf(b)], [["cut"], []]);
    await redis.restart();
    await Promise.all([isReady(a), isReady(b)]);
    await until(async () => assert.deepEqual(await namesOf(b), ["cut"]), WAIT_MS);
    stop.wanted = true;
    for (const { answered, refused, longestMs } of await done) {
      assert.deepEqual(refused, []);
      assert.ok(answered > 10, `${answered} calls`);
      assert.ok(longestMs < 10_000, `one took ${longestMs} ms`);
    }
    await clear(a, "tools/cut");
    await until(async () => assert.deepEqual(await namesOf(b), []), WAIT_MS);
  });

  it("Redis frozen under calls: none waits until it moves again", async () => {
    const { stop, done } = await underCalls();
    await sleep(300);
    const frozenAt = performance.now();
    redis.freeze();
    // Whether they are known to be down or not, an answer about the others is not waited for.
    const set = await put(a, "tools/frozen");
    assert.equal(set.body.outcome, "partial");
    await until(() => assert.ok(count(b, "store.failed") > count(b, "store.recovered")), WAIT_MS);
    await sleep(4000);
    stop.wanted = true;
    const made = await done;
    const frozenMs = performance.now() - frozenAt;
    redis.thaw();
    for (const { refused, longestMs } of made) {
      assert.deepEqual(refused, []);
      assert.ok(longestMs < frozenMs / 2, `one took ${longestMs} of ${frozenMs} ms`);
    }
    await Promise.all([isReady(a), isReady(b)]);
    await until(async () => assert.deepEqual(await namesOf(b), ["frozen"]), WAIT_MS);
    await clear(b, "tools/frozen");
    await until(async () => assert.deepEqual(await namesOf(a), []), WAIT_MS);
  });

  it("a Redis that comes back empty gets the switches again", async () => {
    await put(a, "tools/kept");
    await put(a, "tools/cleared");
    await clear(a, "tools/cleared");
    await redis.restart({ empty: true });
    await until(async () => {
      const late = await start();
      try {
        assert.deepEqual(await namesOf(late), ["kept"]);
      } finally {
        await late.remove();
      }
    }, WAIT_MS);
    assert.deepEqual([await namesOf(a), await namesOf(b)], [["kept"], ["kept"]]);
  });

  it("a replica that starts without Redis has them from before", async () => {
    await until(async () => assert.deepEqual(await namesOf(b), ["kept"]), WAIT_MS);
    await b.kill();
    await redis.kill();
    await b.restart();
    assert.equal((await b.ask("/status")).body.stores.at(-1).ok, false);
    assert.deepEqual(await namesOf(b), ["kept"]);
    await redis.restart();
    await isReady(b);
    assert.deepEqual(await namesOf(b), ["kept"]);
  });

  async function underCalls() {
    const stop = { wanted: false };
    const sessions = await Promise.all([a, b].map((one) => open(one, caller())));
    return { stop, done: Promise.all(sessions.map((session) => callOn(session, stop))) };
  }
});
