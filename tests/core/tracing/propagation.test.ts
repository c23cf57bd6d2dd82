/** Without spans of its own the gateway is no gap in a trace: what callers say of it goes on. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startCore, type TestCore } from "../../support/core.ts";
import { HttpSession, messagesOf, type Rpc } from "../../support/http_session.ts";
import { modern } from "../../support/modern_http.ts";
import { type ModernBackend, serveModern } from "../../support/modern_backend.ts";
import {
  startTracedServer,
  tracedProcess,
  type TracedServer,
} from "../../support/traced_backend.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;
const OTHER = "00-11111111111111111111111111111111-2222222222222222-00";
const BAGGAGE = "user=anna,plan=gold";

describe("a caller's trace without spans of the gateway", () => {
  let server: TracedServer;
  let modernServer: ModernBackend;
  let gateway: TestCore;
  let session: HttpSession;

  before(async () => {
    server = await startTracedServer();
    modernServer = await serveModern();
    gateway = await startCore({
      backends: {
        child: tracedProcess(),
        open: tracedProcess({ forward_baggage: true }),
        web: { url: server.url, era: "legacy" },
        new: { url: modernServer.url.href, era: "modern" },
      },
    });
    session = await HttpSession.open(gateway.core.fetch);
  });

  after(async () => {
    await gateway.stop();
    await server.close();
    await modernServer.close();
  });

  /** The `_meta` that the tool got. */
  async function metaAt(
    name: string,
    meta?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Rpc | null> {
    const params = { name, arguments: {}, ...(meta === undefined ? {} : { _meta: meta }) };
    const body = { jsonrpc: "2.0", id: 9, method: "tools/call", params };
    const answer = (await messagesOf(await session.post(body, headers))).at(-1) as Rpc;
    assert.equal(answer["error"], undefined);
    return JSON.parse(answer["result"].content[0].text) as Rpc | null;
  }

  it("a call without one stays as it is", async () => {
    assert.equal(await metaAt("child__meta"), null);
    assert.deepEqual(await metaAt("child__meta", { "a/b": 1 }), { "a/b": 1 });
  });

  it("what stands in `_meta` reaches processes and servers as it came, beside all other keys", async () => {
    const meta = {
      "traceparent": `00-${TRACE}-b7ad6b7169203331-03`,
      "tracestate": "vendor=a:1,other@x=2",
      "example.com/own": { deep: [1] },
      "__proto__x": true,
    };
    assert.deepEqual(await metaAt("child__meta", meta), meta);
    assert.deepEqual(await metaAt("web__meta", meta), meta);
    const { headers } = server.calls.at(-1) ?? {};
    assert.equal(headers?.["traceparent"], meta.traceparent);
    assert.equal(headers?.["tracestate"], meta.tracestate);
  });

  it("the progress token is the gateway's own towards the backend, and the caller's towards the caller", async () => {
    const body = {
      jsonrpc: "2.0",
      id: 10,
      method: "tools/call",
      params: {
        name: "child__steps",
        arguments: {},
        _meta: { progressToken: "mine", traceparent: PARENT },
      },
    };
    const messages = await messagesOf(await session.post(body));
    assert.deepEqual(messages[0]?.["params"], { progressToken: "mine", progress: 1 });
    const got = JSON.parse(messages.at(-1)?.["result"].content[0].text) as Rpc;
    assert.equal(got["traceparent"], PARENT);
    assert.equal(typeof got["progressToken"], "number");
  });

  it("what stands in the HTTP headers goes into `_meta` where that has none", async () => {
    const headers = { traceparent: PARENT, tracestate: "a=1" };
    const expected = { traceparent: PARENT, tracestate: "a=1" };
    assert.deepEqual(await metaAt("child__meta", undefined, headers), expected);
    const both = await metaAt("child__meta", { traceparent: OTHER }, headers);
    assert.deepEqual(both, { traceparent: OTHER });
  });

  it("a modern client's reaches a modern backend and a process", async () => {
    const meta = { traceparent: PARENT, tracestate: "a=1" };
    await modern(gateway.core.fetch, "tools/call", { name: "new__steps", arguments: {} }, { meta });
    const seen = modernServer.seen.filter(({ message }) => message.method === "tools/call").at(-1);
    assert.equal(seen?.message["params"]._meta.traceparent, PARENT);
    assert.equal(seen?.headers["traceparent"], PARENT);
    const params = { name: "child__meta", arguments: {} };
    const { answer } = await modern(gateway.core.fetch, "tools/call", params, {
      headers: { traceparent: PARENT },
    });
    assert.deepEqual(JSON.parse(answer["result"].content[0].text), { traceparent: PARENT });
  });

  it("baggage reaches only backends that shall have it", async () => {
    const meta = { traceparent: PARENT, baggage: BAGGAGE };
    assert.deepEqual(await metaAt("child__meta", meta), { traceparent: PARENT });
    assert.deepEqual(await metaAt("open__meta", meta), meta);
    assert.deepEqual(await metaAt("open__meta", undefined, { baggage: BAGGAGE }), {
      baggage: BAGGAGE,
    });
    await metaAt("web__meta", { baggage: BAGGAGE });
    assert.equal(server.calls.at(-1)?.headers["baggage"], undefined);
    assert.equal(server.calls.at(-1)?.meta, undefined);
  });

  const BROKEN: readonly (readonly [what: string, meta: Record<string, unknown>])[] = [
    ["no text", { traceparent: 7 }],
    ["capitals", { traceparent: PARENT.toUpperCase() }],
    ["a trace of zeros", { traceparent: `00-${"0".repeat(32)}-b7ad6b7169203331-01` }],
    ["a span of zeros", { traceparent: `00-${TRACE}-${"0".repeat(16)}-01` }],
    ["the forbidden version", { traceparent: `ff-${TRACE}-b7ad6b7169203331-01` }],
    ["too long for its version", { traceparent: `${PARENT}-more` }],
    ["a line end", { traceparent: `${PARENT}\r\nx: y` }],
    ["nothing but a state", { tracestate: "a=1" }],
    ["a list", { traceparent: [PARENT] }],
  ];
  for (const [what, meta] of BROKEN) {
    it(`a context that is not valid is dropped, and the call goes on: ${what}`, async () => {
      assert.equal(await metaAt("child__meta", meta), null);
      assert.deepEqual(await metaAt("child__meta", { ...meta, keep: 1 }), { keep: 1 });
    });
  }

  const STATES: readonly (readonly [what: string, state: unknown])[] = [
    ["too long", `a=${"x".repeat(511)}`],
    ["too many members", Array.from({ length: 33 }, (_, n) => `k${n}=1`).join(",")],
    ["a control character", "a=\u0001"],
    ["no member", "abc"],
    ["no text", { a: 1 }],
  ];
  for (const [what, tracestate] of STATES) {
    it(`a state that is not valid is dropped, the context stays: ${what}`, async () => {
      const meta = { traceparent: PARENT, tracestate };
      assert.deepEqual(await metaAt("child__meta", meta), { traceparent: PARENT });
    });
  }

  it("baggage that is too long or no header is dropped", async () => {
    for (const baggage of [`a=${"x".repeat(8192)}`, "a=\n", "nothing", 7, ""]) {
      assert.equal(await metaAt("open__meta", { baggage }), null);
    }
  });

  it("a later version of the context is understood by its beginning", async () => {
    const meta = { traceparent: `01-${TRACE}-b7ad6b7169203331-01-more` };
    assert.deepEqual(await metaAt("child__meta", meta), meta);
  });

  it("a `_meta` that is no object is the backend's to judge", async () => {
    assert.equal(await metaAt("child__meta", "text"), "text");
  });

  it("errors, and the log, name the caller's trace", async () => {
    const params = { name: "child__unknown", arguments: {}, _meta: { traceparent: PARENT } };
    const { error } = await session.request("tools/call", params);
    assert.equal(error.data.traceId, TRACE);
    const line = gateway.log.filter(({ event }) => event === "call.finished").at(-1);
    assert.equal(line?.fields["trace_id"], TRACE);
    assert.equal(line?.fields["span_id"], undefined);
    const plain = await session.request("tools/call", { name: "child__unknown", arguments: {} });
    assert.equal(Object.hasOwn(plain["error"].data, "traceId"), false);
  });
});
