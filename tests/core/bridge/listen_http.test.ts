import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { startCore, type TestCore } from "../../support/core.ts";
import { eventsOf, HttpSession, type Rpc } from "../../support/http_session.ts";
import { type ModernBackend, serveModern } from "../../support/modern_backend.ts";
import { modern, modernPost, served } from "../../support/modern_http.ts";
import { type RecordingBackend, startRecordingBackend } from "../../support/recording_backend.ts";

import { ClientV2, StreamableHTTPClientTransportV2 } from "../../support/sdk_v2.ts";

const LIMIT = { timeout: 20_000 };
const UPDATED = "notifications/resources/updated";
const SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId";

/** Messages of a stream, as they come. */
async function* messages(response: Response): AsyncGenerator<Rpc> {
  for await (const { data } of eventsOf(response)) if (data !== "") yield JSON.parse(data) as Rpc;
}

async function next(stream: AsyncGenerator<Rpc>): Promise<Rpc> {
  const { done, value } = await stream.next();
  assert.equal(done, false);
  return value as Rpc;
}

describe("subscriptions/listen over HTTP", () => {
  let gateway: TestCore;
  let backend: ModernBackend | RecordingBackend | undefined;
  afterEach(async () => {
    await gateway.stop();
    await backend?.close();
    backend = undefined;
  });

  function listen(notifications: unknown, id: unknown = 1): Promise<Response> {
    return modernPost(gateway.core.fetch, "subscriptions/listen", { notifications }, { id });
  }

  it("brings the news of a modern backend to clients of both eras", LIMIT, async () => {
    const server = backend = await serveModern();
    gateway = await startCore({ backends: { v2: { url: server.url.href } } });
    const { fetch } = gateway.core;
    const session = await HttpSession.open(fetch);
    const standing = messages(await session.get());
    assert.deepEqual(
      (await session.request("resources/subscribe", { uri: "note:a" }))["result"],
      {},
    );
    const wanted = { toolsListChanged: true, resourceSubscriptions: ["note:a", "note:b"] };
    const stream = messages(await listen(wanted, "mine"));
    assert.deepEqual((await next(stream))["params"], {
      notifications: wanted,
      _meta: { [SUBSCRIPTION]: "mine" },
    });
    await modern(fetch, "tools/call", { name: "v2__touch", arguments: { uri: "note:a" } });
    assert.deepEqual(await next(stream), {
      jsonrpc: "2.0",
      method: UPDATED,
      params: { uri: "note:a", _meta: { [SUBSCRIPTION]: "mine" } },
    });
    const heard = await next(standing);
    assert.deepEqual([heard.method, heard["params"]], [UPDATED, { uri: "note:a" }]);
    const methods = server.seen.map(({ message }) => message.method);
    assert.equal(methods.includes("resources/subscribe"), false);
    await stream.return(undefined);
    await standing.return(undefined);
  });

  it("ends when its client goes, and the backend is told", LIMIT, async () => {
    const server = backend = await startRecordingBackend("a");
    gateway = await startCore({ backends: { a: { url: server.url, era: "legacy" } } });
    const stream = messages(await listen({ resourceSubscriptions: ["a://doc"] }));
    await next(stream);
    assert.equal(gateway.core.control.status().listens, 1);
    await stream.return(undefined);
    while (gateway.core.control.status().listens !== 0) await setImmediate();
    while (!server.reached.includes("resources/unsubscribe a://doc")) await setImmediate();
  });

  it("is answered at a drain", LIMIT, async () => {
    gateway = await startCore({});
    const stream = messages(await listen({ toolsListChanged: true }, 7));
    await next(stream);
    gateway.core.refuseNew();
    assert.deepEqual(await next(stream), {
      jsonrpc: "2.0",
      id: 7,
      result: { resultType: "complete", _meta: { [SUBSCRIPTION]: 7 } },
    });
    assert.equal((await stream.next()).done, true);
    const { status, answer } = await modern(gateway.core.fetch, "subscriptions/listen", {
      notifications: {},
    });
    assert.deepEqual([status, answer["error"].data.code], [503, "STOPPING"]);
  });

  it("serves the official client, up to the end", LIMIT, async () => {
    const server = backend = await startRecordingBackend("a");
    gateway = await startCore({ backends: { a: { url: server.url, era: "legacy" } } });
    const { url, end } = await served(gateway);
    const client = new ClientV2({ name: "official", version: "1" }, {
      versionNegotiation: { mode: "auto" },
    });
    const updated = Promise.withResolvers<unknown>();
    client.setNotificationHandler(UPDATED, ({ params }) => updated.resolve(params.uri));
    await client.connect(new StreamableHTTPClientTransportV2(new URL(url)));
    const wanted = { promptsListChanged: true, resourceSubscriptions: ["a://doc"] };
    const [first, second] = [await client.listen(wanted), await client.listen(wanted)];
    assert.deepEqual(first.honoredFilter, wanted);
    await server.notify(UPDATED, { uri: "a://doc" });
    assert.equal(await updated.promise, "a://doc");
    await first.close();
    assert.equal(await first.closed, "local");
    while (gateway.core.control.status().listens !== 1) await setImmediate();
    gateway.core.refuseNew();
    assert.equal(await second.closed, "graceful");
    await client.close();
    await end();
  });

  it("drops a client that reads nothing, and counts it", LIMIT, async () => {
    const server = backend = await startRecordingBackend("a");
    gateway = await startCore({ backends: { a: { url: server.url, era: "legacy" } } });
    const uri = `a://item/${"x".repeat(1900)}`;
    const response = await listen({ resourceSubscriptions: [uri] });
    while (gateway.core.control.status().listens !== 0) {
      await server.notify(UPDATED, { uri });
      await setImmediate();
    }
    const dropped = gateway.telemetry.read("sentinel_stream_events_dropped_total")
      .find(({ labels }) => labels["kind"] === "client_listen");
    assert.equal(dropped?.value, 1);
    await response.body?.cancel();
  });
});
