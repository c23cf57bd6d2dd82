/** Two gateways whose Redis goes: each goes on by itself, and nothing waits for the other (T63). */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ManagedGateway } from "../proofs/managed_gateway.ts";
import { type HttpSession, messagesOf, type Rpc } from "../support/http_session.ts";
import { RedisServer } from "../support/redis.ts";
import { comeBack, Messages, openAt, replicaTables } from "./replica_clients.ts";
import { stopAll } from "./stop_all.ts";
import { until } from "./until.ts";

const WAIT_MS = 20_000;
const TIMEOUT = { timeout: 120_000 };
const FORM = { message: "what?", requestedSchema: { type: "object", properties: {} } };
const ASK = { name: "own__ask", arguments: { method: "elicitation/create", params: FORM } };

describe("replicas without their Redis", TIMEOUT, () => {
  let redis: RedisServer;
  let a: ManagedGateway;
  let b: ManagedGateway;

  before(async () => {
    redis = await RedisServer.start({ appendonly: true });
    const start = () => ManagedGateway.start(replicaTables(redis));
    [a, b] = await Promise.all([start(), start()]);
    await Promise.all([a, b].map((one) => becomes(one, "ready")));
  }, TIMEOUT);
  after(() => stopAll([() => a.remove(), () => b.remove(), () => redis.stop()]), TIMEOUT);

  it("serve their own, refuse what only the other has, and meet again", async () => {
    const { way, session } = await openAt(a);
    const stream = new Messages(await session.send("tools/call", ASK));
    const question = await stream.find(({ method }) => method === "elicitation/create");
    const lastId = String(stream.lastId);
    await stream.leave();
    way.turn(b);
    const live = new Messages(await session.get({ "last-event-id": lastId }));
    await redis.kill();
    await Promise.all([a, b].map((one) => becomes(one, "degraded")));

    assert.equal(await live.next(), undefined, "nobody can say what became of it: it comes back");
    assert.equal((await session.call("f__echo"))["error"], undefined);
    const resumed = await session.get({ "last-event-id": lastId });
    assert.equal(resumed.status, 503);
    const [refused] = await messagesOf(resumed);
    assert.equal((refused as Rpc)["error"].data.code, "OVERLOADED");
    assert.equal(await unheard(session, question.id), 202);

    await redis.restart();
    await Promise.all([a, b].map((one) => becomes(one, "ready")));
    // What is said while the replicas find each other again may be lost.
    const answer = comeBack(session, lastId);
    const saying = setInterval(() => void unheard(session, question.id), 500);
    const { id, result } = await answer.finally(() => clearInterval(saying));
    assert.equal(id, 1);
    assert.match(result.content[0].text, /accept/);
  });
});

async function becomes(gateway: ManagedGateway, state: string): Promise<void> {
  await until(async () => {
    assert.equal((await gateway.ask("/status")).body.state, state);
  }, WAIT_MS);
}

/** Answers a question of the other replica. */
async function unheard(session: HttpSession, id: unknown): Promise<number> {
  const answer = { jsonrpc: "2.0", id, result: { action: "accept", content: {} } };
  return (await session.post(answer)).status;
}
