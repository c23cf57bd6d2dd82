/** Sessions over two gateways and a real Redis: any request may reach either of them. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ManagedGateway } from "../proofs/managed_gateway.ts";
import type { Rpc } from "../support/http_session.ts";
import { RedisServer } from "../support/redis.ts";
import { comeBack, Messages, openAt, replicaTables } from "./replica_clients.ts";
import { stopAll } from "./stop_all.ts";
import { until } from "./until.ts";

const WAIT_MS = 20_000;
const TIMEOUT = { timeout: 120_000 };
const FORM = { message: "what?", requestedSchema: { type: "object", properties: {} } };
const ASK = { name: "own__ask", arguments: { method: "elicitation/create", params: FORM } };
const ANSWER = { action: "accept", content: { word: "yes" } };

describe("a session at two replicas", TIMEOUT, () => {
  let redis: RedisServer;
  let a: ManagedGateway;
  let b: ManagedGateway;

  before(async () => {
    redis = await RedisServer.start({ appendonly: true });
    const start = () => ManagedGateway.start(replicaTables(redis));
    [a, b] = await Promise.all([start(), start()]);
    await Promise.all([a, b].map((one) =>
      until(async () => {
        assert.equal((await one.ask("/status")).body.state, "ready");
      }, WAIT_MS)
    ));
  }, TIMEOUT);
  after(() => stopAll([() => a.remove(), () => b.remove(), () => redis.stop()]), TIMEOUT);

  it("goes on at the other one without a handshake", async () => {
    const { way, session } = await openAt(a);
    way.turn(b);
    assert.equal((await session.call("f__echo", { x: 1 }))["error"], undefined);
    way.turn(a);
    assert.equal((await session.call("f__echo", { x: 1 }))["error"], undefined);
  });

  it("answers at one what was asked in a call at the other", async () => {
    const { way, session } = await openAt(a);
    const stream = new Messages(await session.send("tools/call", ASK));
    const question = await stream.find(isQuestion);
    way.turn(b);
    const taken = await session.post({ jsonrpc: "2.0", id: question.id, result: ANSWER });
    assert.equal(taken.status, 202);
    assert.match(textIn(await stream.find(isAnswer)), /yes/);
  });

  it("cancels at one what is under way at the other", async () => {
    const { way, session } = await openAt(a);
    const call = session.send("tools/call", { name: "f__wait", arguments: {} }, 77);
    await until(async () => assert.equal(await inFlightAt(a), 1), WAIT_MS);
    way.turn(b);
    await session.notify("notifications/cancelled", { requestId: 77, reason: "enough" });
    await until(async () => assert.equal(await inFlightAt(a), 0), WAIT_MS);
    await (await call).body?.cancel();
  });

  it("brings on a stream at one what was subscribed at the other", async () => {
    const { way, session } = await openAt(a);
    assert.equal(
      (await session.request("resources/subscribe", { uri: "fixture://one" }))["error"],
      undefined,
    );
    way.turn(b);
    const stream = new Messages(await session.get());
    const told = await stream.find(({ method }) => method === "notifications/resources/updated");
    assert.equal(told["params"].uri, "fixture://one");
    await stream.leave();
  });

  it("ends everywhere", async () => {
    const { way, session } = await openAt(a);
    way.turn(b);
    await session.call("f__echo");
    assert.equal((await session.delete()).status, 200);
    way.turn(a);
    await until(
      async () => assert.equal((await session.send("ping")).status, 404),
      WAIT_MS,
    );
  });

  it("reads on at one, live, what a call at the other writes", async () => {
    const { way, session } = await openAt(a);
    const first = new Messages(await session.send("tools/call", ASK));
    const question = await first.find(isQuestion);
    const lastId = String(first.lastId);
    await first.leave();
    way.turn(b);
    const rest = new Messages(await session.get({ "last-event-id": lastId }));
    await session.post({ jsonrpc: "2.0", id: question.id, result: ANSWER });
    assert.match(textIn(await rest.find(isAnswer)), /yes/);
    assert.equal(await rest.next(), undefined);
  });

  it("hands its standing stream over, with what it had not sent", async () => {
    const { way, session } = await openAt(a);
    // Its child there has a tool more, of which only that gateway knows.
    await session.call("f__grow", { name: "unread" });
    await until(async () => {
      const { items } = (await a.ask("/capabilities")).body;
      assert.ok(JSON.stringify(items).includes("f__unread"));
    }, WAIT_MS);
    way.turn(b);
    const stream = new Messages(await session.get());
    await stream.find(({ method }) => method === "notifications/tools/list_changed");
    await stream.leave();
  });

  it("ends in a typed error what was under way at one that is killed", async () => {
    const c = await ManagedGateway.start(replicaTables(redis));
    try {
      const { way, session } = await openAt(c);
      const stream = new Messages(await session.send("tools/call", ASK, 7));
      await stream.find(isQuestion);
      const lastId = String(stream.lastId);
      await written(c);
      await c.kill();
      await stream.leave().catch(() => {});
      way.turn(b);
      const { id, error } = await comeBack(session, lastId);
      assert.deepEqual([id, error.data.code, error.data.executed], [7, "BACKEND_LOST", "unknown"]);
      assert.equal((await session.call("f__echo"))["error"], undefined);
    } finally {
      await c.remove();
    }
  });

  it("ends in a typed error a call that only took long, at one that is killed", async () => {
    const c = await ManagedGateway.start(replicaTables(redis));
    try {
      const { way, session } = await openAt(c);
      const slow = { name: "f__wait", arguments: {} };
      const stream = new Messages(await session.send("tools/call", slow, 8));
      const lastId = await stream.beginning();
      await written(c);
      await c.kill();
      await stream.leave().catch(() => {});
      way.turn(b);
      const { id, error } = await comeBack(session, lastId);
      assert.deepEqual([id, error.data.code, error.data.executed], [8, "BACKEND_LOST", "unknown"]);
    } finally {
      await c.remove();
    }
  });

  it("ends in a typed error what is read here from one that is killed then", async () => {
    const c = await ManagedGateway.start(replicaTables(redis));
    try {
      const { way, session } = await openAt(c);
      const stream = new Messages(await session.send("tools/call", ASK, 7));
      await stream.find(isQuestion);
      const lastId = String(stream.lastId);
      way.turn(b);
      const rest = new Messages(await session.get({ "last-event-id": lastId }));
      const standing = new Messages(await session.get());
      await c.kill();
      const { id, error } = await rest.find(isAnswer);
      assert.deepEqual([id, error.data.code, error.data.executed], [7, "BACKEND_LOST", "unknown"]);
      assert.equal(await rest.next(), undefined);
      await Promise.all([stream.leave().catch(() => {}), standing.leave()]);
    } finally {
      await c.remove();
    }
  });

  it("has its lists read again when the replica with its standing stream is gone", async () => {
    const c = await ManagedGateway.start(replicaTables(redis));
    try {
      const { way, session } = await openAt(c);
      const lost = new Messages(await session.get());
      await c.kill();
      await lost.leave().catch(() => {});
      way.turn(b);
      const stream = new Messages(await session.get());
      await stream.find(({ method }) => method === "notifications/tools/list_changed");
      await stream.leave();
    } finally {
      await c.remove();
    }
  });
});

/** Resolves when what a gateway has sent so far is with the store: what it writes is in order. */
async function written(gateway: ManagedGateway): Promise<void> {
  await openAt(gateway);
}

function isQuestion({ method }: Rpc): boolean {
  return method === "elicitation/create";
}

function isAnswer({ method, id }: Rpc): boolean {
  return method === undefined && id !== undefined;
}

function textIn({ result }: Rpc): string {
  return String(result.content[0].text);
}

async function inFlightAt(gateway: ManagedGateway): Promise<number> {
  return (await gateway.ask("/backends/f")).body.inFlight as number;
}
