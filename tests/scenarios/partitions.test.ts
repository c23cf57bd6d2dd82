/** Networks that swallow packets: between a gateway and its Redis, and between a gateway and a backend. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ManagedGateway } from "../proofs/managed_gateway.ts";
import { Partition } from "../support/faults/partition.ts";
import { ScriptedBackend } from "../support/faults/scripted_backend.ts";
import { HttpSession, overHttp, type Rpc } from "../support/http_session.ts";
import { RedisServer } from "../support/redis.ts";
import { stopAll } from "./stop_all.ts";
import { until } from "./until.ts";

const CALL_MS = 2000;
const WAIT_MS = 60_000;
/** Of a partition, when the calls in it are quick. */
const CALLS = 20;
const TIMEOUT = { timeout: 120_000 };

describe("a partition of the network", { ...TIMEOUT, skip: Partition.impossible ?? false }, () => {
  let redis: RedisServer | undefined;
  let near: ScriptedBackend | undefined;
  let far: ScriptedBackend | undefined;
  let gateway: ManagedGateway | undefined;

  before(async () => {
    redis = await RedisServer.start({ appendonly: true });
    near = await ScriptedBackend.start();
    far = await ScriptedBackend.start();
    const quick = { timeout: `${CALL_MS}ms`, restart: { base: "200ms", max: "1s" } };
    gateway = await ManagedGateway.start({
      sessions: { store: "redis", url: redis.url },
      backends: {
        near: { ...quick, url: near.urlOf("mcp").href },
        far: { ...quick, url: far.urlOf("mcp").href, health: { interval: "1s", timeout: "500ms" } },
      },
    });
    await until(async () => {
      const { body } = await running().ask("/backends?filter=state:ready");
      assert.equal(body.items.length, 2);
      assert.deepEqual(await storesDown(), []);
    }, WAIT_MS);
  }, TIMEOUT);
  after(() =>
    stopAll([
      () => gateway?.remove() ?? Promise.resolve(),
      () => near?.[Symbol.asyncDispose]() ?? Promise.resolve(),
      () => far?.[Symbol.asyncDispose]() ?? Promise.resolve(),
      () => redis?.stop() ?? Promise.resolve(),
    ]), TIMEOUT);

  function running(): ManagedGateway {
    assert.ok(gateway);
    return gateway;
  }

  async function storesDown(): Promise<string[]> {
    const { body } = await running().ask("/status");
    return body.stores.filter(({ ok }: { ok: boolean }) => !ok).map(String);
  }

  async function open(): Promise<HttpSession> {
    return await HttpSession.open(overHttp(running().url.href));
  }

  it("from Redis stops no call; it is told, and over when the network is back", async () => {
    assert.ok(redis);
    const session = await open();
    {
      using _partition = Partition.of(redis.port);
      await until(async () => assert.notDeepEqual(await storesDown(), []), WAIT_MS);
      const begun = performance.now();
      for (let call = 0; call < CALLS; call++) isAnswered(await callNear(session));
      // A session that begins now lives without the store.
      isAnswered(await callNear(await open()));
      const meanMs = (performance.now() - begun) / CALLS;
      assert.ok(meanMs < CALL_MS / 2, `${meanMs} ms for each call`);
    }
    await until(async () => assert.deepEqual(await storesDown(), []), WAIT_MS);
    isAnswered(await callNear(session));
  });

  it("from a backend ends its calls with the truth, no others; it comes back by itself", async () => {
    assert.ok(far);
    const session = await open();
    {
      using _partition = Partition.of(Number(far.urlOf("mcp").port));
      const { error } = await session.call("far__call", { nonce: "lost" });
      assert.ok(
        ["BACKEND_TIMEOUT", "BACKEND_LOST"].includes(error.data.code),
        JSON.stringify(error),
      );
      // This session has no connection to it yet: the call waited for one, and was never sent.
      assert.deepEqual([error.data.backend, error.data.executed], ["far", "no"]);
      isAnswered(await callNear(session));
      const shown = async () => {
        const { body } = await running().ask("/backends/far");
        assert.notEqual(body.state, "ready", JSON.stringify(body));
      };
      await until(shown, WAIT_MS);
      isAnswered(await callNear(session));
    }
    await until(
      async () => isAnswered(await session.call("far__call", { nonce: "found" })),
      WAIT_MS,
    );
  });
});

function callNear(session: HttpSession): Promise<Rpc> {
  return session.call("near__call", { nonce: "near" });
}

function isAnswered({ error, ["result"]: result }: Rpc): void {
  assert.equal(error, undefined, JSON.stringify(error));
  assert.notEqual(result.isError, true);
}
