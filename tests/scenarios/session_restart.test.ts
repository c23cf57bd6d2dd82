/** Sessions that go on after their gateway was stopped or killed. */
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { ManagedGateway, type Tables } from "../proofs/managed_gateway.ts";
import { fixtureBackend } from "../support/core.ts";
import { eventsOf, HttpSession, messagesOf, overHttp, type Rpc } from "../support/http_session.ts";
import { proves } from "../support/proves.ts";
import { RedisServer } from "../support/redis.ts";
import { stopAll } from "./stop_all.ts";
import { until } from "./until.ts";

const WAIT_MS = 30_000;
const TIMEOUT = { timeout: 175_000 };
const SESSION_UNKNOWN = -31004;

/** A gateway whose address changes with each run. */
async function start(sessions: Tables) {
  const gateway = await ManagedGateway.start({
    audit: { store: "off" },
    backends: { fixture: fixtureBackend() },
    sessions,
  });
  return { gateway, send: (request: Request) => overHttp(gateway.url.href)(request) };
}

/** Messages of a session's standing stream, until one matches. */
async function heard(session: HttpSession, wanted: (message: Rpc) => boolean): Promise<Rpc[]> {
  const response = await session.get();
  assert.equal(response.status, 200);
  const messages: Rpc[] = [];
  for await (const { data } of eventsOf(response)) {
    if (data !== "") messages.push(JSON.parse(data) as Rpc);
    const last = messages.at(-1);
    if (last !== undefined && wanted(last)) break;
  }
  return messages;
}

async function sessionsOf(gateway: ManagedGateway): Promise<readonly Rpc[]> {
  return (await gateway.ask("/sessions")).body.items as readonly Rpc[];
}

/** A session that has set a level and watches a resource. */
async function openSession(send: (request: Request) => Promise<Response>): Promise<HttpSession> {
  const session = await HttpSession.open(send);
  await session.request("logging/setLevel", { level: "error" });
  await session.request("resources/subscribe", { uri: "fixture://one" });
  await heard(session, ({ method }) => method === "notifications/resources/updated");
  return session;
}

/** Everything of the session holds again, without another handshake. */
async function goesOn(gateway: ManagedGateway, session: HttpSession, before: Rpc): Promise<void> {
  const answer = await session.call("fixture__echo", { after: "the restart" });
  assert.match(JSON.stringify(answer), /the restart/);
  const [after] = await sessionsOf(gateway);
  assert.deepEqual([after?.["id"], after?.["openedAt"]], [before["id"], before["openedAt"]]);
  assert.equal(after?.["client"], before["client"]);
  const restored = () =>
    sessionsOf(gateway).then(([own]) => own?.["restored"] as readonly string[]);
  await until(async () => {
    assert.deepEqual(await restored(), ['subscription of fixture://one at "fixture"']);
  }, WAIT_MS);
  assert.deepEqual(await logged(session, "info"), []);
  assert.deepEqual(await logged(session, "error"), ["told"]);
  const updated = "notifications/resources/updated";
  const methods = (await heard(session, ({ method }) => method === updated))
    .map(({ method }) => method);
  const lists = ["tools", "prompts", "resources"].map((kind) =>
    `notifications/${kind}/list_changed`
  );
  assert.deepEqual(methods, [...lists, updated]);
}

/** What the client is told when a backend logs at this level. */
async function logged(session: HttpSession, level: string): Promise<unknown[]> {
  const params = { name: "fixture__log", arguments: { level, data: "told" } };
  const messages = await messagesOf(await session.send("tools/call", params));
  return messages.filter(({ method }) => method === "notifications/message")
    .map(({ params: told }) => told.data as unknown);
}

describe("sessions after a restart of their gateway", TIMEOUT, () => {
  let redis: RedisServer;
  const gateways: ManagedGateway[] = [];
  before(async () => {
    redis = await RedisServer.start({ appendonly: true });
  });
  after(() => stopAll([...gateways.map((gateway) => () => gateway.remove()), () => redis.stop()]));

  const stores: readonly (readonly [string, () => Tables])[] = [
    ["sqlite", () => ({ store: "sqlite" })],
    ["redis", () => ({ store: "redis", url: redis.url })],
  ];
  for (const [name, sessions] of stores) {
    for (const end of ["stop", "kill"] as const) {
      proves(["U1"], `on ${name}, after ${end}, go on with all they had`, async () => {
        const { gateway, send } = await start(sessions());
        gateways.push(gateway);
        const session = await openSession(send);
        const [known] = await sessionsOf(gateway);
        assert.ok(known !== undefined);
        await gateway[end]();
        await gateway.restart();
        await goesOn(gateway, session, known);
        assert.equal((await session.delete()).status, 200);
        await gateway.kill();
        await gateway.restart();
        assert.equal((await session.send("ping")).status, 404, "one that was ended stays away");
      });
    }
  }

  proves(["U1"], "on sqlite, a client that comes back gets the events it has missed", async () => {
    const { gateway, send } = await start({ store: "sqlite" });
    gateways.push(gateway);
    const session = await HttpSession.open(send);
    const seen = await watch(session, "fixture://item/1");
    const missed = "fixture://item/2";
    await until(async () => assert.equal((await sessionsOf(gateway))[0]?.["streams"], 0), WAIT_MS);
    // Its backend tells of the change right away; the gateway keeps what it is told.
    await session.request("resources/subscribe", { uri: missed });
    await session.call("fixture__echo", {});
    await gateway.kill();
    await gateway.restart();
    const response = await session.get({ "last-event-id": seen });
    assert.equal(response.status, 200);
    const { value: first } = await eventsOf(response)[Symbol.asyncIterator]().next();
    const { method, params } = JSON.parse(first?.data ?? "{}") as Rpc;
    assert.deepEqual([method, params?.uri], ["notifications/resources/updated", missed]);
  });

  proves(
    ["U1"],
    "on memory, and on a Redis that lost them, are unknown and begin anew",
    async () => {
      for (const sessions of [{ store: "memory" }, { store: "redis", url: redis.url }]) {
        const { gateway, send } = await start(sessions);
        gateways.push(gateway);
        const session = await openSession(send);
        await gateway.stop();
        if (sessions.store === "redis") await redis.restart({ empty: true });
        await gateway.restart();
        const response = await session.send("tools/list");
        assert.equal(response.status, 404);
        assert.equal(((await response.json()) as Rpc)["error"].code, SESSION_UNKNOWN);
        await goesOnAnew(send);
      }
    },
  );
});

/** Subscribes, and gives the id of the event that tells of the first change. */
async function watch(session: HttpSession, uri: string): Promise<string> {
  const response = await session.get();
  await session.request("resources/subscribe", { uri });
  for await (const { id, data } of eventsOf(response)) {
    if (id !== undefined && data.includes(uri)) return id;
  }
  throw new Error("The stream ended before the change was told");
}

async function goesOnAnew(send: (request: Request) => Promise<Response>): Promise<void> {
  const session = await HttpSession.open(send);
  assert.match(JSON.stringify(await session.call("fixture__echo", { a: 1 })), /result/);
}
