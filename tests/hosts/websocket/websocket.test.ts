/** WebSocket through the listener of the runtime at hand, to a core that is real. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import { after, afterEach, before, describe, it } from "node:test";
import { type Listener, serve } from "../../../src/hosts/serve.ts";
import { until } from "../../scenarios/until.ts";
import { fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { modernBody } from "../../support/modern_http.ts";
import { proves } from "../../support/proves.ts";
import { RUNTIME } from "../../support/runtime.ts";
import {
  closeCode,
  type ConnectOptions,
  frame,
  handshake,
  WebSocketClient,
} from "../../support/websocket_client.ts";

const LIMIT_MS = 10_000;
const MAX_BYTES = 64 * 1024;
const ELICIT = {
  method: "elicitation/create",
  params: { message: "Who?", requestedSchema: { type: "object", properties: {} } },
};

describe("WebSocket", () => {
  let gateway: TestCore;
  let listener: Listener;
  let url: string;
  const clock = new FakeClock();
  const clients: WebSocketClient[] = [];

  before(async () => {
    gateway = await startCore({
      server: { max_request_size: "64KiB" },
      backends: { own: fixtureBackend({ instances: "per-session" }), shared: fixtureBackend() },
    });
    listener = await serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: gateway.core.fetch,
      handle: gateway.core.handle,
      maxBodyBytes: MAX_BYTES,
      clock,
    });
    url = `ws://127.0.0.1:${listener.port}/ws`;
  });
  after(async () => {
    await gateway.stop();
    const closed = listener.close();
    listener.abort();
    await closed;
    // Deno's sockets are asked every 20 ms what waits in them.
    await clock.advance(100);
    assert.equal(clock.pending, 0, "a closed listener keeps no timer");
  });

  afterEach(() => {
    for (const client of clients.splice(0)) client.destroy();
  });

  const sessions = () => [...gateway.core.control.sessions(0)];
  const noSession = () => met(() => sessions().length === 0);

  async function open(options: ConnectOptions = {}): Promise<WebSocketClient> {
    const client = await WebSocketClient.open(url, options);
    clients.push(client);
    return client;
  }

  async function connected(capabilities: unknown = {}): Promise<WebSocketClient> {
    const client = await open();
    await client.initialize(capabilities);
    return client;
  }

  proves(["U4"], "a connection is a session; a call and a question go over it", async () => {
    const client = await connected({ elicitation: {} });
    assert.equal(client.protocol, "mcp");
    assert.deepEqual(sessions().map(({ transport }) => transport), ["websocket"]);
    void client.when(({ method }) => method === "elicitation/create").then(({ id }) =>
      client.write({ jsonrpc: "2.0", id, result: { action: "accept", content: { who: "anna" } } })
    );
    const answer = await client.request(1, "tools/call", { name: "own__ask", arguments: ELICIT });
    assert.deepEqual(JSON.parse(answer["result"].content[0].text as string), {
      action: "accept",
      content: { who: "anna" },
    });
    client.close();
    await client.closed;
    await noSession();
  });

  it("modern requests need no handshake, and may stand beside legacy ones", async () => {
    const client = await open();
    const call = { name: "shared__echo", arguments: { text: "hello" } };
    client.write(modernBody("tools/call", call, { id: "m" }));
    const answer = await client.when(({ id }) => id === "m");
    assert.deepEqual(JSON.parse(answer["result"].content[0].text as string), { text: "hello" });
    await client.initialize();
    assert.deepEqual((await client.request(2, "ping"))["result"], {});
    client.close();
    await noSession();
  });

  it("what a backend announces arrives: a subscription, in both eras", async () => {
    const legacy = await connected();
    await legacy.request(1, "resources/subscribe", { uri: "fixture://one" });
    const told = ({ method }: { method?: string }) => method === "notifications/resources/updated";
    assert.equal((await legacy.when(told))["params"].uri, "fixture://one");
    const modern = await open();
    const wanted = { notifications: { toolsListChanged: true } };
    modern.write(modernBody("subscriptions/listen", wanted, { id: "l" }));
    await modern.when(({ method }) => method === "notifications/subscriptions/acknowledged");
    await legacy.request(2, "tools/call", { name: "shared__grow", arguments: { name: "more" } });
    await modern.when(({ method }) => method === "notifications/tools/list_changed");
    legacy.close();
    modern.close();
    await noSession();
  });

  it("the global WebSocket of the runtime is served, too", async () => {
    const socket = new WebSocket(url, ["other", "mcp"]);
    await new Promise((resolve) => socket.addEventListener("open", resolve));
    assert.equal(socket.protocol, "mcp");
    const answered = new Promise<string>((resolve) =>
      socket.addEventListener("message", ({ data }) => resolve(String(data)))
    );
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }));
    assert.deepEqual(JSON.parse(await answered), { jsonrpc: "2.0", id: 1, result: {} });
    const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
    socket.close(1000, "done");
    await closed;
    await noSession();
  });

  describe("before the upgrade", () => {
    const cases: [string, Record<string, string | undefined>, number][] = [
      ["another Host", { host: "evil.test" }, 421],
      ["a page of another site", { origin: "https://evil.test" }, 403],
      ["no upgrade", { upgrade: undefined, connection: undefined }, 426],
      ["an upgrade to something else", { upgrade: "h2c" }, 426],
      ["another version", { "sec-websocket-version": "12" }, 426],
      ["no version", { "sec-websocket-version": undefined }, 426],
    ];
    for (const [name, headers, status] of cases) {
      it(`${name} is answered ${status}`, async () => {
        const answer = await handshake(url, headers);
        assert.equal(answer.status, status, answer.body);
        if (status === 426) assert.equal(answer.headers["sec-websocket-version"], "13");
        assert.equal(sessions().length, 0);
      });
    }

    it("a key that is none is answered 400", async () => {
      for (const key of ["short", undefined]) {
        const answer = await handshake(url, { "sec-websocket-key": key });
        assert.equal(answer.status, 400);
      }
      assert.equal(sessions().length, 0);
    });

    it("another method is answered 405, another path as if nothing were asked", async () => {
      const post = await handshake(url, { upgrade: undefined, connection: undefined }, "POST");
      assert.equal(post.status, 405, post.body);
      assert.equal((await handshake(url.replace("/ws", "/other"))).status, 404);
      assert.equal((await handshake(url.replace("/ws", "/mcp"))).status, 406);
    });

    it("a subprotocol that is not ours is not chosen", async () => {
      const { status, headers, bare } = await handshake(url, { "sec-websocket-protocol": "soap" });
      assert.equal(status, 101);
      bare?.socket.destroy();
      assert.equal(headers["sec-websocket-protocol"], undefined);
      await noSession();
    });

    it("no compression is agreed on", async () => {
      const offer = { "sec-websocket-extensions": "permessage-deflate" };
      const { status, headers, bare } = await handshake(url, offer);
      assert.equal(status, 101);
      assert.equal(headers["sec-websocket-extensions"], undefined);
      bare?.socket.destroy();
      await noSession();
    });
  });

  it("a message that is too large ends the connection with 1009", async () => {
    const client = await connected();
    client.write({ jsonrpc: "2.0", id: 1, method: "ping", params: { x: "é".repeat(40_000) } });
    assert.equal((await client.closed).code, 1009);
    await noSession();
  });

  it("one that just fits is served", async () => {
    const client = await connected();
    const head = '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"';
    client.write(`${head}${"y".repeat(MAX_BYTES - head.length - 3)}"}}`);
    assert.deepEqual((await client.when(({ id }) => id === 1))["result"], {});
    client.close();
    await noSession();
  });

  it("a binary message ends it with 1003", async () => {
    const client = await connected();
    client.writeBytes(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}'));
    assert.equal((await client.closed).code, 1003);
    await noSession();
  });

  it("what is no message is answered with an error, and the connection goes on", async () => {
    const client = await connected();
    client.write("garbage");
    assert.equal((await client.when(({ error }) => error !== undefined))["error"].code, -32700);
    assert.deepEqual((await client.request(1, "ping"))["result"], {});
    client.close();
    await noSession();
  });

  it("text that is no UTF-8 ends it", async () => {
    const { bare } = await handshake(url);
    assert.ok(bare !== undefined);
    bare.socket.write(frame(1, Buffer.from([0xc3, 0x28])));
    await bare.ended;
    // Deno cuts the connection without a code.
    assert.equal(closeCode(bare.bytes()), RUNTIME === "deno" ? undefined : 1007);
    await noSession();
  });

  it("a ping of the client is answered", async () => {
    const { bare } = await handshake(url);
    assert.ok(bare !== undefined);
    bare.socket.write(frame(9, Buffer.from("beat")));
    await met(() => bare.bytes().includes("beat"));
    bare.socket.destroy();
    await noSession();
  });

  it("a connection that is cut ends its session and cancels its calls", async () => {
    const client = await connected();
    client.write({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "shared__wait", arguments: {} },
    });
    await met(() => gateway.core.inFlight() === 1);
    client.destroy();
    await noSession();
    await met(() => gateway.core.inFlight() === 0);
  });

  it("an operator's end reaches the client with its reason", async () => {
    const client = await connected();
    const [session] = sessions();
    assert.ok(session !== undefined);
    gateway.core.control.closeSession(session.id, { actor: { name: "test" } });
    assert.deepEqual(await client.closed, { code: 1001, reason: "closed by an operator" });
    await noSession();
  });

  proves("U5", "pings come, and a client that answers none of three is cut", async () => {
    if (RUNTIME === "deno") return; // Its runtime does this by its own clock.
    // The looks at connections are coarser than a heartbeat.
    const heartbeat = gateway.config.sessions.heartbeat + 1000;
    const alive = await connected();
    const dead = await open({ pongs: false });
    for (let beat = 1; beat <= 2; beat++) {
      await clock.advance(heartbeat);
      await met(() => alive.pings >= beat);
      assert.deepEqual((await alive.request(beat, "ping"))["result"], {});
    }
    assert.equal(sessions().length, 2);
    for (let beat = 3; beat <= 5 && sessions().length > 1; beat++) {
      await clock.advance(heartbeat);
      await met(() => alive.pings >= beat);
      assert.deepEqual((await alive.request(beat, "ping"))["result"], {});
    }
    await dead.closed;
    await met(() => sessions().length === 1);
    alive.close();
    await noSession();
  });

  it("a thousand messages at once are all answered, in order", async () => {
    const client = await connected();
    for (let id = 1; id <= 1000; id++) client.write({ jsonrpc: "2.0", id, method: "ping" });
    await client.when(({ id }) => id === 1000);
    const ids = client.received.map(({ id }) => id).filter((id) => typeof id === "number");
    assert.deepEqual(ids, Array.from({ length: 1000 }, (_, index) => index + 1));
    client.close();
    await noSession();
  });

  it("a client that reads nothing is closed when too much waits for it", async () => {
    const { bare } = await handshake(url);
    assert.ok(bare !== undefined);
    bare.socket.pause();
    const text = "z".repeat(60_000);
    const params = { name: "shared__echo", arguments: { text } };
    for (let sent = 0; sent < 600 && sessions().length > 0; sent++) {
      const message = modernBody("tools/call", params, { id: sent });
      bare.socket.write(longFrame(JSON.stringify(message)));
      if (sent % 10 < 9) continue;
      await sleep(20);
      await met(() => gateway.core.inFlight() === 0);
    }
    await noSession();
    await met(() => gateway.log.some(({ event }) => event === "stream.overflow"));
    bare.socket.destroy();
  });
});

/** Resolves when it is true. */
function met(holds: () => boolean): Promise<void> {
  return until(() => assert.ok(holds()), LIMIT_MS);
}

/** A masked text frame of up to 64 KiB. */
function longFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.from([0x81, 0x80 | 126, 0, 0, 0, 0, 0, 0]);
  head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}
