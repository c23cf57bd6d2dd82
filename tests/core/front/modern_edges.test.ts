/** What a request of revision 2026-07-28 is answered when something about it is not as it should be. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type ChangingBackend, startChangingBackend } from "../../support/changing_backend.ts";
import { fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { BASE, HttpSession, messagesOf, post, type Rpc } from "../../support/http_session.ts";
import {
  META,
  MODERN,
  modern,
  modernBody,
  modernHeaders,
  type ModernOptions,
} from "../../support/modern_http.ts";

const ECHO = { name: "echo", arguments: { text: "hello" } };
const WHERE = {
  name: "where",
  inputSchema: {
    type: "object",
    properties: { region: { type: "string", "x-mcp-header": "Region" } },
  },
};

type Expected = readonly [status: number, code: number | undefined];

interface Row {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly options?: ModernOptions;
  readonly expected: Expected;
}

const call = (options: ModernOptions, expected: Expected): Row => ({
  method: "tools/call",
  params: ECHO,
  options,
  expected,
});
const removed = (method: string): Row => ({ method, expected: [404, -32601] });

const ROWS: Readonly<Record<string, Row>> = {
  "a valid call": call({}, [200, undefined]),
  "no version header": call({ headers: { "mcp-protocol-version": undefined } }, [400, -32020]),
  "an older version in the header": call(
    { headers: { "mcp-protocol-version": "2025-11-25" } },
    [400, -32020],
  ),
  "a version nobody knows in the header": call(
    { headers: { "mcp-protocol-version": "bogus" } },
    [400, -32020],
  ),
  "a newer version in the header": call(
    { headers: { "mcp-protocol-version": "2099-01-01" } },
    [400, -32020],
  ),
  "no method header": call({ headers: { "mcp-method": undefined } }, [400, -32020]),
  "another method in the header": call({ headers: { "mcp-method": "tools/list" } }, [400, -32020]),
  "the method in other letters": call({ headers: { "mcp-method": "Tools/Call" } }, [400, -32020]),
  "no name header": call({ headers: { "mcp-name": undefined } }, [400, -32020]),
  "another name in the header": call({ headers: { "mcp-name": "wait" } }, [400, -32020]),
  "a name header sent twice": call({ headers: { "mcp-name": "echo, wait" } }, [400, -32020]),
  "a name header that is no Base64": call(
    { headers: { "mcp-name": "=?base64?!!?=" } },
    [400, -32020],
  ),
  "a name header in Base64": call({ headers: { "mcp-name": "=?base64?ZWNobw==?=" } }, [
    200,
    undefined,
  ]),
  "blanks around headers": call(
    { headers: { "mcp-name": "  echo ", "mcp-method": " tools/call " } },
    [200, undefined],
  ),
  "headers of sessions": call(
    { headers: { "mcp-session-id": "nobody", "last-event-id": "1-1_1" } },
    [200, undefined],
  ),
  "an Accept that lists only JSON": call({ headers: { accept: "application/json" } }, [
    200,
    undefined,
  ]),
  "a name header on a method without": {
    method: "tools/list",
    options: { headers: { "mcp-name": "anything" } },
    expected: [200, undefined],
  },
  "no capabilities": call({ meta: { [`${META}/clientCapabilities`]: undefined } }, [400, -32602]),
  "a revision that is no text": call({ meta: { [`${META}/protocolVersion`]: 7 } }, [400, -32602]),
  "a revision that is not spoken": call({
    meta: { [`${META}/protocolVersion`]: "2099-01-01" },
    headers: { "mcp-protocol-version": "2099-01-01" },
  }, [400, -32022]),
  "a legacy revision in an envelope": call({
    meta: { [`${META}/protocolVersion`]: "2025-11-25" },
    headers: { "mcp-protocol-version": "2025-11-25" },
  }, [400, -32022]),
  "an unknown method": removed("tools/nothing"),
  "a name of every object as method": removed("constructor"),
  "initialize": removed("initialize"),
  "ping": removed("ping"),
  "logging/setLevel": removed("logging/setLevel"),
  "resources/subscribe": removed("resources/subscribe"),
  "resources/unsubscribe": removed("resources/unsubscribe"),
  "tasks/list": removed("tasks/list"),
  "an unknown tool": {
    method: "tools/call",
    params: { name: "nothing", arguments: {} },
    expected: [200, -32602],
  },
  "a call without name": { method: "tools/call", params: {}, expected: [200, -32602] },
  "an unknown cursor": {
    method: "tools/list",
    params: { cursor: "x" },
    expected: [200, -32602],
  },
  "a listen without filter": { method: "subscriptions/listen", expected: [200, -32602] },
};

describe("modern requests over HTTP", () => {
  let gateway: TestCore;
  let changing: ChangingBackend;

  before(async () => {
    changing = await startChangingBackend([WHERE]);
    gateway = await startCore({
      backends: {
        own: fixtureBackend({ era: "legacy" }),
        changing: { url: changing.url, era: "legacy" },
      },
      catalog: { prefix: "never" },
      toolsets: { small: { tools: ["echo"] } },
    });
  });
  after(async () => {
    await gateway.stop();
    await changing.close();
  });

  for (const [name, { method, params, options, expected }] of Object.entries(ROWS)) {
    it(`${name}: ${expected.join(" ")}`, async () => {
      const { status, answer } = await modern(gateway.core.fetch, method, params, {
        id: "row",
        ...options,
      });
      assert.deepEqual([status, answer["error"]?.code], expected, JSON.stringify(answer));
      assert.equal(answer.id, "row");
      if (expected[1] === undefined) assert.equal(answer["result"].resultType, "complete");
    });
  }

  async function raw(body: unknown, headers: Record<string, string>): Promise<Expected> {
    const response = await post(gateway.core.fetch, body, headers);
    const [message] = await messagesOf(response);
    return [response.status, message?.["error"]?.code];
  }

  it("the refusal of a revision names those that are spoken, a header that differs its name", async () => {
    const { answer } = await modern(gateway.core.fetch, "tools/list", {}, {
      meta: { [`${META}/protocolVersion`]: "2099-01-01" },
      headers: { "mcp-protocol-version": "2099-01-01" },
    });
    const { supported, requested } = answer["error"].data;
    assert.deepEqual([supported, requested], [[MODERN], "2099-01-01"]);
    const { answer: differing } = await modern(gateway.core.fetch, "tools/call", ECHO, {
      headers: { "mcp-name": "wait" },
    });
    assert.equal(differing["error"].data.header, "Mcp-Name");
  });

  it("a header that names the revision without an envelope in the body: 400 -32602", async () => {
    const body = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
    assert.deepEqual(await raw(body, modernHeaders("tools/list")), [400, -32602]);
  });

  it("a handshake with the header of a revision that has none: 400 -32020", async () => {
    const params = { protocolVersion: "2025-11-25", capabilities: {} };
    const body = { jsonrpc: "2.0", id: 1, method: "initialize", params };
    assert.deepEqual(await raw(body, { "mcp-protocol-version": MODERN }), [400, -32020]);
    assert.equal(gateway.core.snapshot().sessions, 0);
  });

  it("batches: 400 -32600", async () => {
    const request = modernBody("tools/call", ECHO);
    const headers = modernHeaders("tools/call", ECHO);
    const old = { jsonrpc: "2.0", id: 2, method: "ping" };
    assert.deepEqual(await raw([request], headers), [400, -32600]);
    assert.deepEqual(await raw([old, request], {}), [400, -32600]);
    assert.deepEqual(await raw([old], headers), [400, -32600]);
    assert.deepEqual(await raw([], headers), [400, -32600]);
    assert.deepEqual(await raw([], {}), [400, -32600]);
  });

  it("no JSON: 400 -32700; another content type: 415", async () => {
    const headers = modernHeaders("tools/list");
    assert.deepEqual(await raw("{", headers), [400, -32700]);
    const text = JSON.stringify(modernBody("tools/list"));
    assert.deepEqual(await raw(text, { ...headers, "content-type": "text/plain" }), [415, -32000]);
  });

  it("a body that is too long is refused before it is anything", async () => {
    const text = JSON.stringify(modernBody("tools/list", { pad: "x".repeat(5_000_000) }));
    assert.deepEqual(await raw(text, modernHeaders("tools/list")), [413, -32600]);
  });

  it("a page of another site is refused before the body is read", async () => {
    const headers = { ...modernHeaders("tools/list"), origin: "https://evil.example" };
    assert.equal((await raw(modernBody("tools/list"), headers))[0], 403);
  });

  it("GET and DELETE stay operations of sessions", async () => {
    for (const method of ["GET", "DELETE"]) {
      const headers = {
        host: "127.0.0.1:8808",
        accept: "text/event-stream",
        "mcp-protocol-version": MODERN,
      };
      const response = await gateway.core.fetch(new Request(`${BASE}/mcp`, { method, headers }));
      assert.equal(response.status, 400);
    }
  });

  it("notifications: 202, unless header and body disagree", async () => {
    const params = { requestId: 1 };
    const cancelled = { jsonrpc: "2.0", method: "notifications/cancelled", params };
    const statusOf = async (body: unknown, headers: Record<string, string>) =>
      (await post(gateway.core.fetch, body, headers)).status;
    assert.equal(await statusOf(cancelled, { "mcp-protocol-version": MODERN }), 202);
    const claimed = { ...cancelled, params: { _meta: { [`${META}/protocolVersion`]: MODERN } } };
    assert.equal(await statusOf(claimed, {}), 202);
    assert.equal(await statusOf(claimed, { "mcp-protocol-version": "2025-11-25" }), 400);
    assert.equal(
      await statusOf(cancelled, { "mcp-protocol-version": MODERN, "mcp-method": "other" }),
      400,
    );
  });

  it("legacy requests are answered as before, with and without an unknown version", async () => {
    const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
    assert.deepEqual(await raw(ping, {}), [400, -32000]);
    assert.deepEqual(await raw(ping, { "mcp-protocol-version": "1999-01-01" }), [400, -32000]);
    assert.deepEqual(await raw(ping, { accept: "application/json" }), [406, -32000]);
    assert.deepEqual(await raw("{", { accept: "application/json" }), [406, -32000]);
    const session = await HttpSession.open(gateway.core.fetch);
    assert.deepEqual((await session.request("ping"))["result"], {});
    await session.delete();
  });

  it("within a session, too, a request is what its body says", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    const headers = { "mcp-session-id": session.headers["mcp-session-id"] as string };
    const { status, answer } = await modern(gateway.core.fetch, "ping", {}, { headers });
    assert.deepEqual([status, answer["error"].code], [404, -32601]);
    // The session's own revision in the header does not make a session's request of it.
    const mixed = await session.post(modernBody("tools/call", ECHO));
    assert.equal(mixed.status, 400);
    assert.equal((await messagesOf(mixed))[0]?.["error"].code, -32020);
    await session.delete();
  });

  it("an argument repeated in a header has to be there and to agree, nothing else", async () => {
    const where = async (args: unknown, region?: string): Promise<Expected> => {
      const headers = { "mcp-param-region": region, "mcp-param-other": "ignored" };
      const params = { name: "where", arguments: args };
      const { status, answer } = await modern(gateway.core.fetch, "tools/call", params, {
        headers,
      });
      return [status, answer["error"]?.code];
    };
    assert.deepEqual(await where({ region: "eu" }, "eu"), [200, undefined]);
    assert.deepEqual(await where({ region: "ü" }, "=?base64?w7w=?="), [200, undefined]);
    const before_ = changing.reached.length;
    assert.deepEqual(await where({ region: "eu" }), [400, -32020]);
    assert.deepEqual(await where({ region: "eu" }, "us"), [400, -32020]);
    assert.deepEqual(await where({ region: "eu" }, "=?base64?!?="), [400, -32020]);
    assert.equal(changing.reached.length, before_);
    assert.deepEqual(await where({}), [200, undefined]);
    assert.deepEqual(await where({}, "us"), [200, undefined]);
  });

  it("a toolset shows and serves its part, and its path alone", async () => {
    const { answer } = await modern(gateway.core.fetch, "tools/list", {}, { path: "/mcp/small" });
    assert.deepEqual(answer["result"].tools.map(({ name }: Rpc) => name), ["echo"]);
    const path = "/mcp/small";
    const inside = await modern(gateway.core.fetch, "tools/call", ECHO, { path });
    assert.equal(inside.answer["result"].content[0].text, '{"text":"hello"}');
    const params = { name: "where", arguments: {} };
    const outside = await modern(gateway.core.fetch, "tools/call", params, { path });
    assert.deepEqual([outside.status, outside.answer["error"].code], [200, -32602]);
    const nowhere = await post(
      gateway.core.fetch,
      modernBody("tools/list"),
      modernHeaders("tools/list"),
      "/mcp/none",
    );
    assert.equal(nowhere.status, 404);
  });

  it("discover says what is here, and in which revisions", async () => {
    const { answer } = await modern(gateway.core.fetch, "server/discover");
    const { supportedVersions, capabilities, resultType, ttlMs, cacheScope, _meta } =
      answer["result"];
    assert.deepEqual([resultType, supportedVersions], ["complete", [MODERN]]);
    assert.deepEqual(Object.keys(capabilities).toSorted(), [
      "completions",
      "logging",
      "prompts",
      "resources",
      "tools",
    ]);
    assert.deepEqual([ttlMs, cacheScope], [0, "private"]);
    assert.equal(_meta[`${META}/serverInfo`].title, "MCP Sentinel");
  });

  it("no request leaves a session behind, and none is under way at the end", () => {
    assert.equal(gateway.core.snapshot().sessions, 0);
    assert.equal(gateway.core.inFlight(), 0);
  });
});
