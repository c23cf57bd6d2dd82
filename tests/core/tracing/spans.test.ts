import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { type ConfigInput, startCore, type TestCore } from "../../support/core.ts";
import { eventsOf, HttpSession, messagesOf, type Rpc } from "../../support/http_session.ts";
import { type ModernBackend, serveModern } from "../../support/modern_backend.ts";
import { modern } from "../../support/modern_http.ts";
import { PipeClient } from "../../support/pipe_client.ts";
import { type RecordedSpan, RecordingTracer } from "../../support/recording_tracer.ts";
import {
  startTracedServer,
  tracedProcess,
  type TracedServer,
} from "../../support/traced_backend.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const PARENT = `00-${TRACE}-${SPAN}-01`;
const OTHER_TRACE = "1".repeat(32);
const OTHER = `00-${OTHER_TRACE}-2222222222222222-00`;

describe("spans of calls", () => {
  let server: TracedServer;
  let modernServer: ModernBackend;
  let tracer: RecordingTracer;
  let gateway: TestCore;
  let session: HttpSession;
  /** Spans of the start. */
  let handshakes: RecordedSpan[];

  before(async () => {
    server = await startTracedServer();
    modernServer = await serveModern();
  });

  after(async () => {
    await gateway.stop();
    await server.close();
    await modernServer.close();
  });

  async function start(extra: ConfigInput = {}): Promise<void> {
    await gateway?.stop();
    tracer = new RecordingTracer();
    gateway = await startCore({
      backends: {
        child: tracedProcess(),
        // Only who has a process alone can be asked.
        own: tracedProcess({ instances: "per-session" }),
        web: {
          url: server.url,
          era: "legacy",
          retry: { tools: ["meta"], base: "1ms", max: "2ms" },
        },
        new: { url: modernServer.url.href, era: "modern" },
      },
      ...extra,
    }, { tracing: tracer });
    session = await HttpSession.open(gateway.core.fetch, { capabilities: { elicitation: {} } });
    handshakes = tracer.spans.splice(0);
  }

  beforeEach(() => {
    tracer?.spans.splice(0);
  });

  async function call(
    name: string,
    meta?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Rpc> {
    const params = { name, arguments: {}, ...(meta === undefined ? {} : { _meta: meta }) };
    const body = { jsonrpc: "2.0", id: "nine", method: "tools/call", params };
    return (await messagesOf(await session.post(body, headers))).at(-1) as Rpc;
  }

  function metaIn(answer: Rpc): Rpc {
    return JSON.parse(answer["result"].content[0].text) as Rpc;
  }

  /** The span of the call, and those of its requests to backends. */
  function spans(): { readonly call: RecordedSpan; readonly attempts: readonly RecordedSpan[] } {
    const [call, ...more] = tracer.of("server");
    assert.ok(call !== undefined && more.length === 0, "one span of a call");
    assert.deepEqual(tracer.spans.map(({ ends }) => ends), tracer.spans.map(() => 1));
    return { call, attempts: tracer.of("client") };
  }

  it("a call has one, its request to the backend another, which the backend is told", async () => {
    await start();
    const meta = metaIn(
      await call("child__meta", { traceparent: PARENT, tracestate: "a=1", x: 1 }),
    );
    const { call: own, attempts: [attempt] } = spans();
    assert.deepEqual(own.parent, { traceId: TRACE, spanId: SPAN, sampled: true, state: "a=1" });
    assert.deepEqual(own.links, []);
    assert.equal(attempt?.parent, own.identity);
    assert.deepEqual(meta, {
      x: 1,
      traceparent: `00-${TRACE}-${attempt?.identity.spanId}-01`,
      tracestate: "a=1",
    });
    assert.equal(own.shown, "tools/call child__meta");
    assert.equal(attempt?.shown, "tools/call meta");
  });

  it("a handshake has one, and what is wrong with it is the client's fault", async () => {
    const [own, ...more] = handshakes;
    assert.deepEqual(more, [], "the gateway's own requests to backends have none");
    assert.deepEqual([own?.shown, own?.kind, own?.ends], ["initialize", "server", 1]);
    assert.equal(own?.all["mcp.protocol.version"], "2025-11-25");
    const client = new PipeClient();
    const served = gateway.core.attach(client);
    await client.initialize();
    await client.request(2, "initialize", { _meta: { traceparent: PARENT } });
    client.close();
    await served;
    const [, second] = tracer.of("server");
    assert.equal(second?.parent?.traceId, TRACE);
    assert.deepEqual([second?.failed, second?.ends], [false, 1]);
    assert.equal(second?.all["rpc.response.status_code"], "-32600");
    assert.equal(second?.all["network.transport"], "pipe");
  });

  it("they say what the semantic conventions ask for", async () => {
    await call("web__meta");
    const { call: own, attempts: [attempt] } = spans();
    const { "mcp.session.id": id, "sentinel.request": request, ...rest } = own.all;
    assert.notEqual(id, session.headers["mcp-session-id"], "the id could be used to speak");
    assert.match(String(request), /^[0-9a-f-]{36}$/);
    assert.deepEqual(present(rest), {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "web__meta",
      "jsonrpc.request.id": "nine",
      "mcp.method.name": "tools/call",
      "mcp.protocol.version": "2025-11-25",
      "network.protocol.name": "http",
      "network.transport": "tcp",
      "sentinel.backend": "web",
      "sentinel.outcome": "ok",
    });
    assert.deepEqual(present(attempt?.all ?? {}), {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "meta",
      "mcp.method.name": "tools/call",
      "mcp.protocol.version": "2025-11-25",
      "network.protocol.name": "http",
      "network.transport": "tcp",
      "sentinel.attempt": 1,
      "sentinel.backend": "web",
      "server.address": "127.0.0.1",
      "server.port": Number(new URL(server.url).port),
    });
  });

  it("without a context they begin a trace", async () => {
    const meta = metaIn(await call("child__meta"));
    const { call: own, attempts: [attempt] } = spans();
    assert.equal(own.parent, undefined);
    assert.equal(meta["traceparent"], `00-${own.identity.traceId}-${attempt?.identity.spanId}-01`);
  });

  it("`_meta` wins over the HTTP headers, which become a link", async () => {
    await call("child__meta", { traceparent: PARENT }, { traceparent: OTHER });
    const { call: own } = spans();
    assert.equal(own.parent?.traceId, TRACE);
    assert.deepEqual(own.links.map(({ traceId }) => traceId), [OTHER_TRACE]);
    tracer.spans.splice(0);
    await call("child__meta", { traceparent: "nonsense" }, { traceparent: OTHER });
    assert.equal(spans().call.parent?.traceId, OTHER_TRACE);
    assert.deepEqual(spans().call.links, []);
  });

  it("headers of the backend's request carry the same as its `_meta`", async () => {
    await call("web__meta", { traceparent: PARENT, tracestate: "a=1" });
    const { meta, headers } = server.calls.at(-1) ?? {};
    assert.equal(headers?.["traceparent"], meta?.["traceparent"]);
    assert.equal(headers?.["tracestate"], "a=1");
  });

  it("a request that is sent again is a sibling", async () => {
    server.breakOff(1);
    const answer = await call("web__meta");
    assert.equal(answer["error"], undefined);
    const { call: own, attempts } = spans();
    assert.deepEqual(attempts.map(({ all }) => all["sentinel.attempt"]), [1, 2]);
    assert.deepEqual(attempts.map(({ parent }) => parent), [own.identity, own.identity]);
    assert.deepEqual(attempts.map(({ failed }) => failed), [true, false]);
    assert.equal(attempts[0]?.all["error.type"], "lost");
    assert.deepEqual([own.failed, own.all["error.type"]], [false, undefined]);
    assert.deepEqual(own.events.map(({ name }) => name), ["sentinel.decision"]);
    assert.notEqual(attempts[0]?.identity.spanId, attempts[1]?.identity.spanId);
    assert.equal(metaIn(answer)["traceparent"].split("-")[2], attempts[1]?.identity.spanId);
  });

  it("a mistake of the caller is no error of the call's span", async () => {
    await call("child__unknown");
    const { call: own, attempts } = spans();
    assert.deepEqual(attempts, []);
    assert.equal(own.shown, "tools/call");
    assert.deepEqual([own.failed, own.all["error.type"]], [false, undefined]);
    assert.equal(own.all["rpc.response.status_code"], "-32602");
    assert.equal(own.all["gen_ai.tool.name"], undefined);
  });

  it("a tool that fails is an error on both sides", async () => {
    await call("child__fail");
    const { call: own, attempts: [attempt] } = spans();
    assert.deepEqual([own.failed, own.all["error.type"]], [true, "tool_error"]);
    assert.deepEqual([attempt?.failed, attempt?.all["error.type"]], [true, "tool_error"]);
  });

  it("a method that is none makes no name", async () => {
    await session.request("evil\u001b[31m/method");
    const { call: own } = spans();
    assert.deepEqual([own.shown, own.all["mcp.method.name"]], ["_other", "_other"]);
  });

  it("rules and interceptors are events", async () => {
    await start({
      rules: [{ name: "noted", when: "true", action: "warn" }],
    });
    await call("child__meta");
    const { events } = spans().call;
    const names = events.map(({ name, attributes }) =>
      `${name} ${attributes["sentinel.interceptor"] ?? ""}`.trim()
    );
    assert.ok(names.includes("sentinel.interceptor rules"), names.join(", "));
    await start();
  });

  it("arguments are on it only when that is wanted", async () => {
    const params = { name: "child__meta", arguments: { secret: 1 } };
    await session.request("tools/call", params);
    assert.equal(spans().call.all["gen_ai.tool.call.arguments"], undefined);
    await start({ telemetry: { traces: { arguments: true } } });
    await session.request("tools/call", params);
    assert.equal(spans().call.all["gen_ai.tool.call.arguments"], '{"secret":1}');
  });

  it("a caller that is not trusted gets a trace of the gateway's own, with a link", async () => {
    await start({ telemetry: { traces: { trust_incoming: false } } });
    const meta = metaIn(await call("child__meta", { traceparent: PARENT }));
    const { call: own } = spans();
    assert.equal(own.parent, undefined);
    assert.deepEqual(own.links.map(({ traceId }) => traceId), [TRACE]);
    assert.equal(meta["traceparent"].split("-")[1], own.identity.traceId);
    await start();
  });

  it("a question and progress of the backend carry it to the client", async () => {
    const response = await session.post({
      jsonrpc: "2.0",
      id: 11,
      method: "tools/call",
      params: { name: "own__ask", arguments: {}, _meta: { traceparent: PARENT } },
    });
    const [question] = await answering(session, response);
    const { attempts: [attempt] } = spans();
    const carried = `00-${TRACE}-${attempt?.identity.spanId}-01`;
    assert.equal(question?.["params"]._meta.traceparent, carried);

    tracer.spans.splice(0);
    const messages = await messagesOf(
      await session.post({
        jsonrpc: "2.0",
        id: 12,
        method: "tools/call",
        params: { name: "child__steps", arguments: {}, _meta: { progressToken: 3 } },
      }),
    );
    const told = messages[0]?.["params"] as Rpc | undefined;
    assert.equal(told?.["progressToken"], 3);
    assert.equal(told?.["_meta"].traceparent.split("-")[2], spans().attempts[0]?.identity.spanId);
  });

  it("over a bridge it is one trace too, in both directions", async () => {
    const { answer } = await modern(
      gateway.core.fetch,
      "tools/call",
      { name: "child__meta", arguments: {} },
      { meta: { traceparent: PARENT } },
    );
    const { call: own, attempts: [attempt] } = spans();
    assert.equal(own.all["sentinel.bridge"], "modern-to-legacy");
    assert.equal(own.parent?.spanId, SPAN);
    assert.equal(metaIn(answer)["traceparent"], `00-${TRACE}-${attempt?.identity.spanId}-01`);

    tracer.spans.splice(0);
    await call("new__steps", { traceparent: PARENT });
    const seen = modernServer.seen.filter(({ message }) => message.method === "tools/call").at(-1);
    const carried = `00-${TRACE}-${spans().attempts[0]?.identity.spanId}-01`;
    assert.equal(spans().call.all["sentinel.bridge"], "legacy-to-modern");
    assert.equal(seen?.message["params"]._meta.traceparent, carried);
    assert.equal(seen?.headers["traceparent"], carried);
  });

  it("each request for a call that waited joins its span", async () => {
    const options = { capabilities: { elicitation: {} }, meta: { traceparent: PARENT } };
    const params = { name: "own__ask", arguments: {} };
    const first = await modern(gateway.core.fetch, "tools/call", params, options);
    const { requestState, inputRequests } = first.answer["result"];
    const [key = ""] = Object.keys(inputRequests);
    assert.match(inputRequests[key].params._meta.traceparent, new RegExp(`^00-${TRACE}-`));
    const retry = {
      ...params,
      requestState,
      inputResponses: { [key]: { action: "accept", content: {} } },
    };
    await modern(gateway.core.fetch, "tools/call", retry, {
      ...options,
      meta: { traceparent: OTHER },
    });
    const { call: own } = spans();
    assert.deepEqual(own.joined.map(({ traceId }) => traceId), [OTHER_TRACE]);
  });

  it("log, errors and exemplars name it", async () => {
    const { error } = await call("child__unknown", { traceparent: PARENT });
    assert.equal(error.data.traceId, TRACE);
    const line = gateway.log.filter(({ event }) => event === "call.finished").at(-1);
    assert.equal(line?.fields["trace_id"], TRACE);
    assert.equal(line?.fields["span_id"], spans().call.identity.spanId);
    const { text } = gateway.telemetry.expose("application/openmetrics-text");
    assert.match(text, new RegExp(`# \\{request_id="[0-9a-f-]{36}",trace_id="${TRACE}"\\}`));
  });
});

function present(attributes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(attributes).filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => a < b ? -1 : 1),
  );
}

/** All messages of an answer; questions are answered on the way. */
async function answering(session: HttpSession, response: Response): Promise<Rpc[]> {
  const messages: Rpc[] = [];
  for await (const { data } of eventsOf(response)) {
    if (data === "") continue;
    const message = JSON.parse(data) as Rpc;
    messages.push(message);
    if (message.method !== "elicitation/create") continue;
    const result = { action: "accept", content: {} };
    await session.post({ jsonrpc: "2.0", id: message.id, result });
  }
  return messages;
}
