import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, before, describe, it } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { JsonObject } from "../../../src/core/mcp/json.ts";
import { startCore, type TestCore } from "../../support/core.ts";
import { bodyOf, type HttpFixture, serveHttp } from "../../support/http_fixture.ts";
import { HttpSession, type Rpc } from "../../support/http_session.ts";
import { modern } from "../../support/modern_http.ts";
import {
  ClientV2,
  createMcpHandler,
  ServerV2,
  StreamableHTTPClientTransportV2,
} from "../../support/sdk_v2.ts";

const ROWS = {
  type: "array",
  items: { $ref: "#/$defs/row" },
  $defs: { row: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] } },
};
const EITHER = { anyOf: [{ type: "null" }, { type: "object", required: ["a"] }] };
const NOT_FOUND = { code: -32002, message: "Resource not found", data: { uri: "note:none" } };

/** An official server of the modern era, which has values of any kind. */
async function modernServer(): Promise<HttpFixture> {
  const values: JsonObject = { rows: [{ n: 1 }], either: { a: 1 } };
  const handler = createMcpHandler(() => {
    const server = new ServerV2({ name: "modern", version: "1" }, {
      capabilities: { tools: {}, resources: {} },
    });
    const listed = (name: string, outputSchema: unknown) => ({
      name,
      inputSchema: { type: "object" },
      outputSchema,
    });
    server.setRequestHandler("tools/list", () => ({
      tools: [listed("rows", ROWS), listed("either", EITHER)] as never,
    }));
    server.setRequestHandler("tools/call", ({ params }) => ({
      content: [],
      structuredContent: values[params.name],
    }));
    server.setRequestHandler(
      "resources/list",
      () => ({ resources: [{ uri: "note:m", name: "m" }] }),
    );
    server.setRequestHandler("resources/read", ({ params }) => ({
      contents: [{ uri: params.uri, text: "modern" }],
    }));
    return server;
  }, { legacy: "reject" });
  return await serveHttp(async (incoming, outgoing) => {
    const { method = "GET", headers } = incoming;
    const body = method === "POST" ? { body: await bodyOf(incoming) } : {};
    const init = { method, headers: headers as Record<string, string>, ...body };
    const response = await handler.fetch(new Request("http://127.0.0.1/mcp", init));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  }, "/mcp");
}

/** A server of the legacy era. */
async function legacyServer(): Promise<HttpFixture> {
  const results: JsonObject = {
    "initialize": {
      protocolVersion: "2025-11-25",
      capabilities: { tools: {}, prompts: {}, resources: {} },
      serverInfo: { name: "legacy", version: "1" },
    },
    "tools/list": { tools: [{ name: "echo", inputSchema: { type: "object" } }] },
    "prompts/list": { prompts: [{ name: "greet" }] },
    "resources/list": {
      resources: [{ uri: "note:l", name: "l" }, { uri: "note:none", name: "none" }],
    },
    "resources/templates/list": { resourceTemplates: [] },
    "tools/call": { content: [{ type: "text", text: "legacy" }], _meta: { vendor: 1 } },
    "prompts/get": { messages: [] },
    "resources/read": { contents: [{ uri: "note:l", text: "legacy" }] },
  };
  return await serveHttp(async (request, response) => {
    if (request.method !== "POST") return void response.writeHead(405).end();
    const { id, method = "", params } = JSON.parse(await bodyOf(request)) as Rpc;
    if (id === undefined) return void response.writeHead(202).end();
    const body = params?.uri === "note:none"
      ? { jsonrpc: "2.0", id, error: NOT_FOUND }
      : { jsonrpc: "2.0", id, result: results[method] };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  }, "/mcp");
}

describe("results between the eras, through the gateway", () => {
  let servers: readonly HttpFixture[];
  let gateway: TestCore;
  before(async () => {
    const [m, l] = await Promise.all([modernServer(), legacyServer()]);
    servers = [m, l];
    gateway = await startCore({
      backends: {
        m: { url: m.url.href, era: "modern" },
        l: { url: l.url.href, era: "legacy", cache_ttl: "30s" },
      },
    });
  });
  after(async () => {
    await gateway.stop();
    await Promise.all(servers.map((server) => server.close()));
  });

  const resultOf = async (method: string, params: Readonly<Record<string, unknown>>) => {
    const { status, answer } = await modern(gateway.core.fetch, method, params);
    assert.equal(status, 200);
    return answer;
  };

  it("fit, for a legacy client, the output schema that it was shown", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    const { result: { tools } } = await session.request("tools/list");
    const values = { rows: { result: [{ n: 1 }] }, either: { result: { a: 1 } } };
    for (const [name, value] of Object.entries(values)) {
      const { outputSchema } = (tools as Rpc[]).find((one) => one["name"] === `m__${name}`) ?? {};
      const fits = new Ajv2020().compile(outputSchema);
      const { result } = await session.call(`m__${name}`);
      assert.deepEqual(result.structuredContent, value);
      assert.equal(fits(result.structuredContent), true);
      assert.equal("resultType" in result, false);
    }
    const { result } = await session.call("m__rows");
    assert.deepEqual(result.content, [{ type: "text", text: '[{"n":1}]' }]);
  });

  it("have, for a legacy client, nothing of caches", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    const { result } = await session.request("resources/read", { uri: "note:m" });
    assert.deepEqual(result.contents, [{ uri: "note:m", text: "modern" }]);
    for (const name of ["resultType", "ttlMs", "cacheScope"]) assert.equal(name in result, false);
  });

  it("are, for an older client, text alone", async () => {
    const session = await HttpSession.open(gateway.core.fetch, { revision: "2025-03-26" });
    const { result } = await session.call("m__rows");
    assert.deepEqual(result.content, [{ type: "text", text: '[{"n":1}]' }]);
    assert.equal("structuredContent" in result, false);
  });

  it("pass between two modern peers as they are, and the official client accepts them", async () => {
    const client = new ClientV2({ name: "test", version: "1" }, {
      versionNegotiation: { mode: { pin: "2026-07-28" } },
    });
    const url = new URL("http://127.0.0.1:8808/mcp");
    const fetch = (input: string | URL, init?: RequestInit) => {
      const request = new Request(input, init);
      request.headers.set("host", url.host);
      return gateway.core.fetch(request);
    };
    await client.connect(new StreamableHTTPClientTransportV2(url, { fetch }));
    try {
      const { tools } = await client.listTools();
      const rows = tools.find(({ name }) => name === "m__rows");
      assert.deepEqual(rows?.outputSchema, ROWS);
      const called = await client.callTool({ name: "m__rows", arguments: {} });
      assert.deepEqual(called.structuredContent, [{ n: 1 }]);
      const echoed = await client.callTool({ name: "l__echo", arguments: {} });
      assert.deepEqual(echoed.content, [{ type: "text", text: "legacy" }]);
      const read = await client.readResource({ uri: "note:l" });
      assert.deepEqual(read.contents, [{ uri: "note:l", text: "legacy" }]);
    } finally {
      await client.close();
    }
  });

  it("say, for a modern client, what they are and who answers", async () => {
    const { result: { _meta, ...called } } = await resultOf("tools/call", {
      name: "l__echo",
      arguments: {},
    });
    assert.deepEqual(called, {
      resultType: "complete",
      content: [{ type: "text", text: "legacy" }],
    });
    const server = _meta["io.modelcontextprotocol/serverInfo"];
    assert.deepEqual([_meta.vendor, server.title, server.version], [
      1,
      "MCP Sentinel",
      "0.0.0-test",
    ]);
    const { result: prompt } = await resultOf("prompts/get", { name: "l__greet" });
    assert.equal(prompt.resultType, "complete");
  });

  it("say, for a modern client, how long a resource may be kept", async () => {
    const { result } = await resultOf("resources/read", { uri: "note:l" });
    assert.deepEqual([result.resultType, result.ttlMs, result.cacheScope], [
      "complete",
      30_000,
      "private",
    ]);
  });

  it("are errors with a code that the client's revision has", async () => {
    const { error } = await resultOf("resources/read", { uri: "note:none" });
    assert.deepEqual(error, { ...NOT_FOUND, code: -32602 });
    const session = await HttpSession.open(gateway.core.fetch);
    const answer = await session.request("resources/read", { uri: "note:none" });
    assert.deepEqual(answer["error"], NOT_FOUND);
  });
});
