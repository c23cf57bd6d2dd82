/** Both eras on one pipe: modern requests need no handshake, and disturb none. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import type { Rpc } from "../../support/http_session.ts";
import { META, MODERN, modernBody, type ModernOptions } from "../../support/modern_http.ts";
import { PipeClient } from "../../support/pipe_client.ts";
import { until } from "../../scenarios/until.ts";
import { startWaitingBackend, type WaitingBackend } from "./waiting_backend.ts";

const ECHO = { name: "echo", arguments: { text: "hello" } };
const WAIT = { name: "slow", arguments: {} };
const LIMIT_MS = 10_000;

describe("a pipe of both eras", () => {
  let gateway: TestCore;
  let backend: WaitingBackend;
  const clients: PipeClient[] = [];

  before(async () => {
    backend = await startWaitingBackend();
    gateway = await startCore({
      backends: {
        own: fixtureBackend({ era: "legacy" }),
        waiting: {
          url: backend.url,
          era: "legacy",
          tools: { rename: { wait: "slow" } },
        },
      },
      catalog: { prefix: "never" },
    });
  });
  after(async () => {
    for (const client of clients) client.close();
    await gateway.stop();
    await backend.close();
  });

  function connect(): PipeClient {
    const client = new PipeClient();
    clients.push(client);
    void gateway.core.attach(client);
    return client;
  }

  /** Sends a modern request; the answer, or any other message that has its id. */
  function ask(
    client: PipeClient,
    id: number | string,
    method: string,
    options: ModernOptions & { readonly params?: Readonly<Record<string, unknown>> } = {},
  ): Promise<Rpc> {
    const { params = {}, ...rest } = options;
    client.write(modernBody(method, params, { ...rest, id }));
    return client.when((message) => message.id === id && message.method === undefined);
  }

  it("modern requests are answered without a handshake, beside legacy ones", async () => {
    const client = connect();
    const found = await ask(client, 1, "server/discover");
    assert.deepEqual(found["result"].supportedVersions, [MODERN]);
    const listed = await ask(client, 2, "tools/list");
    assert.ok(listed["result"].tools.some(({ name }: Rpc) => name === "echo"));
    const called = await ask(client, "3", "tools/call", { params: ECHO });
    assert.equal(called["result"].content[0].text, '{"text":"hello"}');
    assert.equal(called["result"].resultType, "complete");
    // Each is the caller of its own request: nothing of one era leaks into the other.
    assert.equal((await client.request(4, "tools/call", ECHO))["result"].resultType, undefined);
  });

  it("legacy and modern messages take turns, before and after the handshake", async () => {
    const client = connect();
    assert.equal((await ask(client, 1, "tools/call", { params: ECHO }))["error"], undefined);
    const initialized = await client.initialize();
    assert.equal(initialized["result"].protocolVersion, "2025-11-25");
    const modern = await ask(client, 2, "prompts/get", { params: { name: "greet" } });
    const legacy = await client.request(3, "prompts/get", { name: "greet" });
    assert.deepEqual(modern["result"].messages, legacy["result"].messages);
    assert.equal(legacy["result"].resultType, undefined);
    assert.deepEqual((await client.request(4, "ping"))["result"], {});
  });

  it("what the modern era does not have is refused by code, with the id", async () => {
    const client = connect();
    for (const method of ["initialize", "ping", "logging/setLevel", "resources/subscribe"]) {
      assert.equal((await ask(client, method, method))["error"].code, -32601);
    }
    const future = { [`${META}/protocolVersion`]: "2099-01-01" };
    const unknown = await ask(client, "future", "tools/list", { meta: future });
    assert.equal(unknown["error"].code, -32022);
    const bare = { [`${META}/clientCapabilities`]: undefined };
    assert.equal((await ask(client, "bare", "tools/list", { meta: bare }))["error"].code, -32602);
    const missing = await ask(client, "uri", "resources/read", { params: { uri: 1 } });
    assert.equal(missing["error"].code, -32602);
  });

  it("no batch has a modern message, even where batches are spoken", async () => {
    const client = connect();
    await client.initialize({}, "2025-03-26");
    client.write([modernBody("tools/list", {}, { id: "in a batch" })]);
    const refused = await client.when(({ error }) => error !== undefined);
    assert.deepEqual([refused.id, refused["error"].code], [null, -32600]);
    assert.ok(!client.received.some(({ id }) => id === "in a batch"));
  });

  it("a cancelled call reaches the backend as cancelled and is never answered", async () => {
    const client = connect();
    client.write(modernBody("tools/call", WAIT, { id: "c" }));
    const waiting = await backend.next();
    const params = { requestId: "c", reason: "enough" };
    client.write({ jsonrpc: "2.0", method: "notifications/cancelled", params });
    assert.equal(await backend.cancelled(), waiting.id);
    await until(() => assert.equal(gateway.core.inFlight(), 0), LIMIT_MS);
    await ask(client, "after", "server/discover");
    assert.ok(!client.received.some(({ id }) => id === "c"));
  });

  it("the same id in both eras, one after the other, is two calls", async () => {
    const client = connect();
    await client.initialize();
    await ask(client, 1, "tools/call", { params: ECHO });
    client.received.length = 0;
    const legacy = await client.request(1, "tools/call", ECHO);
    assert.equal(legacy["result"].resultType, undefined);
  });

  it("progress and log messages come with the call that asked for them", async () => {
    const client = connect();
    const meta = { progressToken: "t", [`${META}/logLevel`]: "info" };
    const answered = ask(client, 1, "tools/call", { params: WAIT, meta });
    const waiting = await backend.next();
    waiting.progress(1);
    waiting.log("debug");
    waiting.log("error");
    waiting.answer();
    await answered;
    const told = client.received.filter(({ method }) => method !== undefined);
    assert.deepEqual(told.map(({ params }) => params.progressToken ?? params.level), [
      "t",
      "error",
    ]);
  });

  it("a listen lasts until its id is cancelled", async () => {
    const client = connect();
    const filter = { notifications: { toolsListChanged: true } };
    client.write(modernBody("subscriptions/listen", filter, { id: 9 }));
    const first = await client.when(({ method }) => method !== undefined);
    assert.equal(first.method, "notifications/subscriptions/acknowledged");
    assert.equal(first["params"]._meta[`${META}/subscriptionId`], 9);
    assert.equal(listens(gateway), 1);
    const params = { requestId: 9 };
    client.write({ jsonrpc: "2.0", method: "notifications/cancelled", params });
    await until(() => assert.equal(listens(gateway), 0), LIMIT_MS);
    const refused = await ask(client, 10, "subscriptions/listen");
    assert.equal(refused["error"].code, -32602);
  });

  it("with the pipe end the calls and listens it carried", async () => {
    const client = connect();
    const filter = { notifications: { toolsListChanged: true } };
    client.write(modernBody("subscriptions/listen", filter, { id: 1 }));
    await client.when(({ method }) => method === "notifications/subscriptions/acknowledged");
    client.write(modernBody("tools/call", WAIT, { id: 2 }));
    const waiting = await backend.next();
    client.close();
    assert.equal(await backend.cancelled(), waiting.id);
    await until(() => assert.equal(gateway.core.inFlight(), 0), LIMIT_MS);
    assert.equal(listens(gateway), 0);
  });
});

function listens({ telemetry }: TestCore): number | undefined {
  return telemetry.read("sentinel_streams_active")
    .find(({ labels }) => labels["kind"] === "client_listen")?.value;
}
