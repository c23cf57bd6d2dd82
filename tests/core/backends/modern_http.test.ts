/** Backends over HTTP that the official SDKs serve: the modern era, and both legacy transports. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import type { JsonObject } from "../../../src/core/mcp/json.ts";
import { serveHttp } from "../../support/http_fixture.ts";
import { eventually } from "../../support/http_fixture_wire.ts";
import { type ModernBackend, serveModern } from "../../support/modern_backend.ts";
import {
  ListToolsRequestSchema,
  Server,
  SSEServerTransport,
  StreamableHTTPServerTransport,
  type Transport,
} from "../../support/sdk.ts";
import { drive, toolCall } from "./backend_driver.ts";

const META = "io.modelcontextprotocol";

async function started() {
  const server = await serveModern();
  const driven = await drive({ url: server.url.href });
  await driven.settled;
  return { server, driven };
}

/** Requests of one method that the server got. */
function sent(server: ModernBackend, method: string) {
  return server.seen.filter(({ message }) => message["method"] === method);
}

describe("a modern backend over HTTP", () => {
  it("is discovered, read and shown with its era, and gets no handshake", async () => {
    const { server, driven } = await started();
    await using _driven = driven;
    await using _server = server;
    const { state, era, protocol, tools } = driven.backend.status(0);
    assert.deepEqual([state, era, protocol, tools], ["ready", "modern", "2026-07-28", 6]);
    const { instructions, serverName } = driven.backend.found ?? {};
    assert.deepEqual([instructions, serverName], ["Be modern.", "v2"]);
    assert.deepEqual(driven.events("backend.era"), [
      { backend: "one", era: "modern", revision: "2026-07-28" },
    ]);
    assert.deepEqual(sent(server, "initialize"), []);
    assert.equal(server.seen[0]?.message["method"], "server/discover");
    for (const { headers } of server.seen) assert.equal(headers["mcp-session-id"], undefined);
  });

  it("gets envelope and headers with each call, built from what is forwarded", async () => {
    const { server, driven } = await started();
    await using _driven = driven;
    await using _server = server;
    const tool = driven.backend.found?.tools[0] as JsonObject;
    const args = { region: "Köln", place: { row: 7 } };
    const reply = await driven.call("échø", {
      params: { name: "échø", arguments: args, _meta: { traceparent: "00-a", "x/y": 1 } },
      client: {
        capabilities: { elicitation: {} },
        logLevel: "info",
        inputSchema: tool["inputSchema"] as JsonObject,
      },
    });
    assert.ok("result" in reply && reply.type === undefined, JSON.stringify(reply));
    assert.equal((JSON.parse(reply.result) as JsonObject)["resultType"], "complete");
    const [{ headers, message } = { headers: {}, message: {} }] = sent(server, "tools/call");
    const encoded = (text: string) =>
      `=?base64?${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}?=`;
    assert.deepEqual(
      ["mcp-protocol-version", "mcp-method", "mcp-name", "mcp-param-region", "mcp-param-row"]
        .map((name) => headers[name]),
      ["2026-07-28", "tools/call", encoded("échø"), encoded("Köln"), "7"],
    );
    assert.deepEqual(message["params"]._meta, {
      traceparent: "00-a",
      "x/y": 1,
      [`${META}/protocolVersion`]: "2026-07-28",
      [`${META}/clientCapabilities`]: { elicitation: {} },
      [`${META}/clientInfo`]: { name: "mcp-sentinel", title: "MCP Sentinel", version: "0" },
      [`${META}/logLevel`]: "info",
    });
  });

  it("tells progress and log messages of a call to that call, and what it wants to know", async () => {
    const { server, driven } = await started();
    await using _driven = driven;
    await using _server = server;
    const heard: [string, unknown][] = [];
    await driven.call("steps", {
      params: { name: "steps", _meta: { progressToken: "mine" } },
      client: { capabilities: {}, logLevel: "debug" },
      notify: (method, params) =>
        void heard.push([method, params["progressToken"] ?? params["data"]]),
    });
    assert.deepEqual(heard, [
      ["notifications/progress", "mine"],
      ["notifications/message", "half"],
    ]);
    const ask = { client: { capabilities: { elicitation: { form: {} } } } };
    const asked = await driven.call("ask", ask);
    assert.ok("result" in asked && asked.type === "input_required");
    const { requestState } = JSON.parse(asked.result) as JsonObject;
    const params = { name: "ask", requestState, inputResponses: { sure: { action: "accept" } } };
    const answered = await driven.call("ask", { ...ask, params });
    assert.ok("result" in answered && answered.type === undefined);
    assert.match(answered.result, /thanks/);
  });

  it("learns of a cancelled call, and of one that takes too long, by the end of its exchange", async () => {
    const { server, driven } = await started();
    await using _driven = driven;
    await using _server = server;
    const link = await driven.link();
    const exchange = link.request(toolCall("wait"));
    const outcome = exchange.reply.catch(({ code }: { code: string }) => code);
    await eventually("the call", () => sent(server, "tools/call").length === 1);
    exchange.cancel("enough");
    assert.equal(await outcome, "BACKEND_LOST");
    await eventually("the cancellation", () => server.cancelled() === 1);
    await assert.rejects(driven.call("wait", { timeoutMs: 100 }), { code: "BACKEND_TIMEOUT" });
    await eventually("the other", () => server.cancelled() === 2);
    assert.deepEqual(sent(server, "notifications/cancelled"), []);
    assert.equal(link.open, true);
  });

  it("serves all callers over one connection, whatever they can be asked", async () => {
    const { server, driven } = await started();
    await using _driven = driven;
    await using _server = server;
    const [one, two] = await Promise.all([
      driven.link(driven.caller({})),
      driven.link(driven.caller({ elicitation: {}, sampling: {} })),
    ]);
    assert.equal(one, two);
    assert.equal(driven.backend.status(0).links, 1);
    for (const method of ["notifications/roots/list_changed", "notifications/initialized"]) {
      one?.notify(method);
    }
    await driven.call("échø");
    assert.deepEqual(
      server.seen.map(({ message }) => message["method"]).filter((name) =>
        String(name).startsWith("notifications/")
      ),
      [],
    );
  });

  it("is preferred to the legacy era by a server of both", async () => {
    await using server = await serveModern("stateless");
    await using driven = await drive({ url: server.url.href });
    await driven.settled;
    assert.equal(driven.backend.status(0).era, "modern");
    await using pinned = await drive({ url: server.url.href, era: "legacy" });
    await pinned.settled;
    const { era, protocol } = pinned.backend.status(0);
    assert.deepEqual([era, protocol], ["legacy", "2025-11-25"]);
    assert.deepEqual(pinned.events("backend.era"), []);
  });
});

function createLegacy(): Server {
  const server = new Server({ name: "v1", version: "0" }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [] }));
  return server;
}

describe("a legacy backend over HTTP", () => {
  for (const stateful of [true, false]) {
    it(`is found out ${stateful ? "with" : "without"} sessions`, async () => {
      let session: StreamableHTTPServerTransport | undefined;
      await using fixture = await serveHttp(async (request, response) => {
        if (session === undefined || !stateful) {
          session = new StreamableHTTPServerTransport(
            stateful ? { sessionIdGenerator: randomUUID } : {},
          );
          await createLegacy().connect(session as Transport);
        }
        await session.handleRequest(request, response);
      });
      await using driven = await drive({ url: fixture.url.href });
      await driven.settled;
      const { state, era, protocol, kind } = driven.backend.status(0);
      assert.deepEqual([state, era, protocol, kind], ["ready", "legacy", "2025-11-25", "http"]);
      assert.deepEqual(driven.events("backend.era").map(({ era }) => era), ["legacy"]);
    });
  }

  it("is found out over HTTP+SSE, after both other ways", async () => {
    const methods: unknown[] = [];
    let transport: SSEServerTransport | undefined;
    await using fixture = await serveHttp(async (request, response) => {
      methods.push(`${request.method} ${request.headers["mcp-method"] ?? ""}`);
      if (request.url?.startsWith("/messages")) {
        return await transport?.handlePostMessage(request, response);
      }
      if (request.method !== "GET") return void response.writeHead(404).end();
      transport = new SSEServerTransport("/messages", response);
      await createLegacy().connect(transport as Transport);
    });
    await using driven = await drive({ url: fixture.url.href });
    await driven.settled;
    const { state, era, kind } = driven.backend.status(0);
    assert.deepEqual([state, era, kind], ["ready", "legacy", "http_sse"]);
    assert.deepEqual(methods.slice(0, 3), ["POST server/discover", "POST ", "GET "]);
  });
});
