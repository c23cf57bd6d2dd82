/** Clients of every kind over two gateways and a real Redis, and what nobody but their principal gets. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { AUDIENCE, secretKey, tokenOf } from "../core/auth/tokens.ts";
import { ADMIN_TOKEN, ManagedGateway } from "../proofs/managed_gateway.ts";
import { eventsOf, HEADERS, overHttp, type Rpc } from "../support/http_session.ts";
import { RedisServer } from "../support/redis.ts";
import { Client, ElicitRequestSchema, StreamableHTTPClientTransport } from "../support/sdk.ts";
import type { TestCore } from "../support/core.ts";
import { type AskingBackend, startAskingBackend } from "./bridge_backend.ts";
import { Person, questionIn } from "./bridge_person.ts";
import { Messages, openAt, replicaTables, Way } from "./replica_clients.ts";
import { stopAll } from "./stop_all.ts";
import { until } from "./until.ts";

const WAIT_MS = 20_000;
const TIMEOUT = { timeout: 120_000 };
const FORM = { message: "what?", requestedSchema: { type: "object", properties: {} } };
const ASK = { name: "own__ask", arguments: { method: "elicitation/create", params: FORM } };

describe("calls at two replicas", TIMEOUT, () => {
  let redis: RedisServer;
  let backend: AskingBackend;
  let a: ManagedGateway;
  let b: ManagedGateway;

  const start = () => {
    const { backends, ...rest } = replicaTables(redis);
    return ManagedGateway.start({
      ...rest,
      auth: {
        mode: "jwt",
        jwt: [{ issuer: "idp", audience: AUDIENCE, secret: "${env:PROOF_ADMIN}" }],
      },
      roles: { user: { tools: ["*"] } },
      backends: {
        ...backends as Record<string, unknown>,
        asking: { url: backend.url.href, instances: "per-session" },
      },
    });
  };
  const isReady = (one: ManagedGateway) =>
    until(async () => {
      assert.equal((await one.ask("/status")).body.state, "ready");
    }, WAIT_MS);

  before(async () => {
    [redis, backend] = await Promise.all([
      RedisServer.start({ appendonly: true }),
      startAskingBackend(),
    ]);
    [a, b] = await Promise.all([start(), start()]);
    await Promise.all([isReady(a), isReady(b)]);
  }, TIMEOUT);
  after(
    () => stopAll([() => a.remove(), () => b.remove(), () => backend.close(), () => redis.stop()]),
    TIMEOUT,
  );

  it("goes on at one with a call of a modern client that waits at the other", async () => {
    const way = new Way(a);
    const anna = await personOn(way, "anna");
    const first = await anna.call();
    way.turn(b);
    const second = await anna.answer(first, "one");
    assert.equal(questionIn(second).message, "two for anna");
    const { result } = await anna.answer(second, "two");
    assert.equal(result.content[0].text, "anna one-anna two-anna");
    assert.deepEqual([await parkedAt(a), await parkedAt(b), backend.open()], [0, 0, 0]);
  });

  it("goes on with a waiting call for nobody but the one it asked, and only once", async () => {
    const way = new Way(a);
    const [anna, bert] = [await personOn(way, "anna"), await personOn(way, "bert")];
    const asked = await anna.call();
    way.turn(b);
    const stolen = await bert.answer(asked, "stolen");
    assert.equal(stolen["error"].code, -32602);
    const second = await anna.answer(asked, "one");
    assert.equal((await anna.answer(asked, "one"))["error"].message, stolen["error"].message);
    assert.equal((await anna.answer(second, "two"))["error"], undefined);
  });

  it("tells to start again when the gateway of a waiting call is gone", async () => {
    const c = await start();
    try {
      await isReady(c);
      const way = new Way(c);
      const anna = await personOn(way, "anna");
      const asked = await anna.call();
      await c.kill();
      way.turn(b);
      const { error } = await anna.answer(asked, "one");
      assert.equal(error.data.code, "INVALID_PARAMS");
      assert.match(error.message, /start again/);
    } finally {
      await c.remove();
    }
  });

  it("takes at one the messages of an HTTP+SSE client whose stream is at the other", async () => {
    const headers = await headersOf("anna");
    const response = await fetch(new URL("/sse", a.url), { headers });
    const stream = new SseStream(response);
    const endpoint = await stream.next();
    const say = (body: unknown, own = headers) =>
      fetch(new URL(endpoint, b.url), {
        method: "POST",
        headers: { ...own, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const params = {
      protocolVersion: "2024-11-05",
      capabilities: {},
      clientInfo: { name: "s", version: "1" },
    };
    assert.equal((await say({ jsonrpc: "2.0", id: 0, method: "initialize", params })).status, 202);
    assert.equal((JSON.parse(await stream.next()) as Rpc)["result"].protocolVersion, "2024-11-05");
    const list = { jsonrpc: "2.0", id: 1, method: "tools/list" };
    assert.equal((await say(list, await headersOf("bert"))).status, 404);
    assert.equal((await say(list)).status, 202);
    assert.ok((JSON.parse(await stream.next()) as Rpc)["result"].tools.length > 0);
    await stream.leave();
    await until(async () => assert.equal((await say(list)).status, 404), WAIT_MS);
  });

  it("serves the official client whose requests go to both in turn", async () => {
    const client = new Client({ name: "sdk", version: "1" }, { capabilities: { elicitation: {} } });
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: "accept", content: {} }));
    const transport = new StreamableHTTPClientTransport(a.url, {
      requestInit: { headers: await headersOf("anna") },
      fetch: inTurn(a, b),
    });
    await client.connect(transport as Parameters<Client["connect"]>[0]);
    for (let turn = 0; turn < 4; turn++) {
      const { content } = await client.callTool(ASK) as { content: readonly { text: string }[] };
      assert.match(content[0]?.text ?? "", /accept/);
    }
    await transport.terminateSession();
    await client.close();
  });

  it("gives another principal nothing of a session, at neither of them", async () => {
    const { way, session } = await openAt(a, await headersOf("anna"));
    const stream = new Messages(await session.send("tools/call", ASK));
    await stream.find(({ method }) => method === "elicitation/create");
    const lastId = String(stream.lastId);
    way.turn(b);
    const stolen = { ...HEADERS, ...session.headers, ...await headersOf("bert") };
    const request = (method: string, more: Record<string, string> = {}) =>
      overHttp(b.url.href)(
        new Request("http://127.0.0.1:8808/mcp", { method, headers: { ...stolen, ...more } }),
      );
    for (
      const response of [
        await request("GET"),
        await request("GET", { "last-event-id": lastId }),
        await request("DELETE"),
      ]
    ) {
      assert.equal(response.status, 404);
      await response.body?.cancel();
    }
    // Who has a session of his own cannot read a stream of another one either.
    const own = await openAt(b, await headersOf("bert"));
    const peeked = await own.session.get({ "last-event-id": lastId });
    assert.equal(peeked.status, 400);
    await peeked.body?.cancel();
    assert.equal((await session.call("f__echo"))["error"], undefined);
    await stream.leave();
  });
});

async function personOn({ fetch: send }: Way, mark: string): Promise<Person> {
  const token = await tokenFor(mark);
  return new Person({ core: { fetch: send } } as unknown as TestCore, {
    tool: "asking__ask",
    mark,
    token,
  });
}

async function headersOf(sub: string): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await tokenFor(sub)}` };
}

async function tokenFor(sub: string): Promise<string> {
  const claims = { sub, roles: ["user"] };
  return await tokenOf(secretKey("HS256", ADMIN_TOKEN), { issuer: "idp", now: Date.now(), claims });
}

async function parkedAt(gateway: ManagedGateway): Promise<number> {
  return (await gateway.ask("/status")).body.parked as number;
}

/** Each request to the other one than the last. */
function inTurn(...gateways: readonly ManagedGateway[]): typeof fetch {
  let turn = 0;
  return (_input, init) => fetch((gateways[turn++ % gateways.length] as ManagedGateway).url, init);
}

/** Data of the events of an HTTP+SSE stream. */
class SseStream {
  readonly #messages: AsyncIterator<string>;

  constructor(response: Response) {
    this.#messages = dataOf(response);
  }

  async next(): Promise<string> {
    const { value, done } = await this.#messages.next();
    if (done === true) throw new Error("the stream ended");
    return value;
  }

  async leave(): Promise<void> {
    await this.#messages.return?.();
  }
}

async function* dataOf(response: Response): AsyncGenerator<string> {
  for await (const { data } of eventsOf(response)) if (data !== "") yield data;
}
