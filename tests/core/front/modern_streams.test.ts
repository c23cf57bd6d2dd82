/** Answers of revision 2026-07-28 that take time: when they become streams, and what a disconnect does. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startCore, type TestCore } from "../../support/core.ts";
import { FakeClock, settle } from "../../support/fake_clock.ts";
import { eventsOf, messagesOf, type Rpc } from "../../support/http_session.ts";
import {
  META,
  modernBody,
  modernHeaders,
  type ModernOptions,
  modernPost,
  type Served,
  served,
} from "../../support/modern_http.ts";
import { until } from "../../scenarios/until.ts";
import { startWaitingBackend, type WaitingBackend } from "./waiting_backend.ts";

const WAIT = { name: "wait", arguments: {} };
const LIMIT_MS = 10_000;

describe("modern calls that take time, over real HTTP", () => {
  let gateway: TestCore;
  let backend: WaitingBackend;
  let listener: Served;

  before(async () => {
    backend = await startWaitingBackend();
    gateway = await startCore({
      backends: { waiting: { url: backend.url, era: "legacy" } },
      catalog: { prefix: "never" },
    });
    listener = await served(gateway);
  });
  after(async () => {
    await gateway.stop();
    await listener.end();
    await backend.close();
  });

  function call(options: ModernOptions & { readonly signal?: AbortSignal } = {}) {
    const { signal, ...rest } = options;
    return fetch(listener.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        ...modernHeaders("tools/call", WAIT),
      },
      body: JSON.stringify(modernBody("tools/call", WAIT, rest)),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  const isIdle = () => assert.equal(gateway.core.inFlight(), 0);
  const ends = () =>
    gateway.log.filter(({ event }) => event === "call.finished").map(({ fields }) =>
      fields["outcome"]
    );

  it("a call with nothing to say before its answer is one JSON body", async () => {
    const response = call();
    (await backend.next()).answer();
    const { status, headers } = await response;
    assert.equal(status, 200);
    assert.equal(headers.get("content-type"), "application/json");
    assert.equal(headers.get("mcp-session-id"), null);
    const [answer] = await messagesOf(await response);
    assert.equal(answer?.["result"].content[0].text, "waited");
  });

  it("progress goes first, with the client's own token; then the answer, and the stream ends", async () => {
    const response = call({ id: "p", meta: { progressToken: "mine" } });
    const waiting = await backend.next();
    waiting.progress(1);
    const { headers } = await response;
    assert.equal(headers.get("content-type"), "text/event-stream");
    waiting.progress(2);
    waiting.answer();
    const messages = await messagesOf(await response);
    assert.deepEqual(messages.map(({ params }) => params?.progressToken), [
      "mine",
      "mine",
      undefined,
    ]);
    assert.deepEqual([messages[2]?.id, messages[2]?.["result"].resultType], ["p", "complete"]);
  });

  it("log messages come only to a request that asks for them, from its level on", async () => {
    const quiet = call();
    const first = await backend.next();
    first.log("emergency");
    first.answer();
    assert.equal((await quiet).headers.get("content-type"), "application/json");
    const curious = call({ meta: { [`${META}/logLevel`]: "warning" } });
    const second = await backend.next();
    second.log("info");
    second.log("error");
    second.answer();
    const messages = await messagesOf(await curious);
    assert.deepEqual(messages.map(({ params }) => params?.level), ["error", undefined]);
  });

  it("who goes away before the answer has begun cancels the call", async () => {
    const leaving = new AbortController();
    const response = call({ signal: leaving.signal });
    const { id } = await backend.next();
    assert.equal(gateway.core.inFlight(), 1);
    leaving.abort();
    await assert.rejects(response);
    assert.equal(await backend.cancelled(), id);
    await until(isIdle, LIMIT_MS);
    assert.equal(ends().at(-1), "cancelled");
  });

  it("who leaves the stream cancels the call", async () => {
    const leaving = new AbortController();
    const response = call({ signal: leaving.signal, meta: { progressToken: 1 } });
    const waiting = await backend.next();
    waiting.progress(1);
    const reading = (await response).body?.getReader();
    await reading?.read();
    leaving.abort();
    assert.equal(await backend.cancelled(), waiting.id);
    await until(isIdle, LIMIT_MS);
    assert.equal(ends().at(-1), "cancelled");
  });

  it("who has the answer cancels nothing, and goes on over the same connection", async () => {
    const before_ = ends().length;
    for (let turn = 0; turn < 5; turn++) {
      const response = call();
      (await backend.next()).answer();
      await (await response).text();
    }
    await until(isIdle, LIMIT_MS);
    assert.deepEqual(ends().slice(before_), ["ok", "ok", "ok", "ok", "ok"]);
  });

  it("one client's disconnect is nobody else's, whatever ids they use", async () => {
    const leaving = new AbortController();
    const gone = call({ id: 7, signal: leaving.signal });
    const first = await backend.next();
    const stays = call({ id: 7 });
    const second = await backend.next();
    leaving.abort();
    await assert.rejects(gone);
    assert.equal(await backend.cancelled(), first.id);
    second.answer();
    const [answer] = await messagesOf(await stays);
    assert.deepEqual([answer?.id, answer?.["result"].content[0].text], [7, "waited"]);
  });

  it("a listen is a stream that begins with what it got, and ends when its client leaves", async () => {
    const filter = { notifications: { toolsListChanged: true } };
    const leaving = new AbortController();
    const response = await fetch(listener.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...modernHeaders("subscriptions/listen"),
      },
      body: JSON.stringify(modernBody("subscriptions/listen", filter, { id: "l" })),
      signal: leaving.signal,
    });
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    const { value } = await eventsOf(response).next();
    const first = JSON.parse(value?.data ?? "") as Rpc;
    assert.equal(first.method, "notifications/subscriptions/acknowledged");
    assert.deepEqual(first["params"].notifications, filter.notifications);
    assert.equal(first["params"]._meta[`${META}/subscriptionId`], "l");
    assert.equal(listens(gateway), 1);
    leaving.abort();
    await until(() => assert.equal(listens(gateway), 0), LIMIT_MS);
  });
});

function listens({ telemetry }: TestCore): number | undefined {
  return telemetry.read("sentinel_streams_active")
    .find(({ labels }) => labels["kind"] === "client_listen")?.value;
}

describe("modern calls and the heartbeat", () => {
  let gateway: TestCore;
  let backend: WaitingBackend;
  const clock = new FakeClock();

  before(async () => {
    backend = await startWaitingBackend();
    gateway = await startCore({
      backends: { waiting: { url: backend.url, era: "legacy", timeout: "10m" } },
      catalog: { prefix: "never" },
      sessions: { heartbeat: "15s" },
    }, { clock });
    await until(async () => {
      await settle();
      assert.equal(gateway.core.snapshot().state, "ready");
    }, LIMIT_MS);
  });
  after(async () => {
    await gateway.stop();
    await backend.close();
  });

  it("a quiet call becomes a stream, so that nobody takes the connection for dead", async () => {
    const response = modernPost(gateway.core.fetch, "tools/call", WAIT);
    const waiting = await backend.next();
    await clock.advance(16_000);
    const { headers, body } = await response;
    assert.equal(headers.get("content-type"), "text/event-stream");
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    const { value } = await reader.read();
    assert.match(new TextDecoder().decode(value), /^: keep-alive/);
    reader.releaseLock();
    waiting.answer();
    const messages = await messagesOf(await response);
    assert.equal(messages.at(-1)?.["result"].content[0].text, "waited");
  });

  it("a quiet listen gets comments", async () => {
    const filter = { notifications: { toolsListChanged: true } };
    const response = await modernPost(gateway.core.fetch, "subscriptions/listen", filter);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const read = async () => new TextDecoder().decode((await reader.read()).value);
    assert.match(await read(), /acknowledged/);
    await clock.advance(16_000);
    assert.match(await read(), /^: keep-alive/);
    await reader.cancel();
    assert.equal(listens(gateway), 0);
  });
});
