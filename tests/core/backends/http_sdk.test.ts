/** HTTP wires against servers of the official SDK. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { after, before, describe, it } from "node:test";
import { openHttpSse } from "../../../src/core/backends/http_sse_wire.ts";
import { openHttp } from "../../../src/core/backends/http_wire.ts";
import { NO_REQUEST } from "../../../src/core/backends/wire.ts";
import type { HttpClient } from "../../../src/ports/http_client.ts";
import { gate, type HttpFixture, serveHttp } from "../../support/http_fixture.ts";
import { eventually, hostClient, wireOptions, WireProbe } from "../../support/http_fixture_wire.ts";
import {
  CallToolRequestSchema,
  ElicitResultSchema,
  type EventStore,
  type JSONRPCMessage,
  Server,
  SSEServerTransport,
  StreamableHTTPServerTransport,
  type Transport,
} from "../../support/sdk.ts";

let client: HttpClient;
before(async () => {
  client = await hostClient();
});
after(() => client.close());

/** Tools: `echo`, `ask` (elicitation), `poll` (closes its stream, answers later). */
function createServer(mayAnswer: Promise<void> = Promise.resolve()): Server {
  const server = new Server({ name: "sdk", version: "0" }, {
    capabilities: { tools: { listChanged: true } },
  });
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const { progressToken } = extra._meta ?? {};
    if (progressToken !== undefined) {
      await extra.sendNotification({
        method: "notifications/progress",
        params: { progressToken, progress: 1 },
      });
    }
    if (params.name === "ask") {
      const ask = {
        message: "Sure?",
        requestedSchema: { type: "object" as const, properties: {} },
      };
      const answer = await extra.sendRequest(
        { method: "elicitation/create", params: ask },
        ElicitResultSchema,
      );
      return { content: [{ type: "text", text: answer.action }] };
    }
    if (params.name === "poll") {
      extra.closeSSEStream?.();
      await mayAnswer;
    }
    return { content: [{ type: "text", text: JSON.stringify(params.arguments) }] };
  });
  return server;
}

class MemoryEvents implements EventStore {
  readonly #events: { id: string; stream: string; message: JSONRPCMessage }[] = [];

  storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
    const id = `${stream}/${this.#events.length}`;
    this.#events.push({ id, stream, message });
    return Promise.resolve(id);
  }

  async replayEventsAfter(
    last: string,
    { send }: { send: (id: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const stream = last.slice(0, last.lastIndexOf("/"));
    const start = this.#events.findIndex(({ id }) => id === last) + 1;
    for (const event of this.#events.slice(start)) {
      if (event.stream === stream && "jsonrpc" in event.message) {
        await send(event.id, event.message);
      }
    }
    return stream;
  }
}

type TransportOptions = ConstructorParameters<typeof StreamableHTTPServerTransport>[0];

interface Peer extends HttpFixture {
  readonly server: () => Server;
  readonly sessions: () => number;
  /** As a restart does: the session is forgotten. */
  readonly restart: () => Promise<void>;
}

/** One Streamable HTTP session. */
async function serveSdk(options: TransportOptions = {}, mayAnswer?: Promise<void>): Promise<Peer> {
  let sessions = 0;
  let transport: StreamableHTTPServerTransport;
  let server: Server | undefined;
  const restart = async () => {
    await server?.close();
    server = createServer(mayAnswer);
    transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: () => void sessions++,
      onsessionclosed: () => void sessions--,
      ...options,
    });
    await server.connect(transport as Transport);
  };
  await restart();
  const fixture = await serveHttp((request, response) =>
    void transport.handleRequest(request, response)
  );
  const close = async () => {
    await server?.close();
    await fixture.close();
  };
  return {
    ...fixture,
    close,
    [Symbol.asyncDispose]: close,
    server: () => server as Server,
    sessions: () => sessions,
    restart,
  };
}

function callTool(probe: WireProbe, id: number, name: string, args: unknown = {}): void {
  const params = { name, arguments: args, _meta: { progressToken: id } };
  probe.wire.send(JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params }), id);
}

async function resultOf(probe: WireProbe, id: number): Promise<string> {
  const { message } = await probe.answer(id);
  assert.ok(message.kind === "response" && message.result !== undefined, JSON.stringify(message));
  return (JSON.parse(message.result) as { content: { text: string }[] }).content[0]?.text ?? "";
}

describe("an HTTP wire to the SDK's Streamable HTTP server", () => {
  for (const enableJsonResponse of [false, true]) {
    it(`calls tools over a session it ends (${enableJsonResponse ? "JSON" : "streams"})`, async () => {
      await using peer = await serveSdk({ enableJsonResponse });
      await using probe = new WireProbe(openHttp(wireOptions(peer.url, client)));
      await probe.handshake();
      assert.equal(peer.sessions(), 1);
      for (let id = 2; id < 12; id++) callTool(probe, id, "echo", { id });
      for (let id = 2; id < 12; id++) assert.equal(await resultOf(probe, id), `{"id":${id}}`);
      await probe.wire.close();
      assert.equal(peer.sessions(), 0);
      assert.deepEqual([probe.invalid, probe.failures.size], [[], 0]);
    });
  }

  it("attributes progress and questions, and answers them", async () => {
    await using peer = await serveSdk();
    await using probe = new WireProbe(openHttp(wireOptions(peer.url, client)));
    await probe.handshake();
    callTool(probe, 2, "ask");
    const { message, origin } = await probe.message("elicitation/create");
    assert.equal(origin, 2);
    assert.ok(message.kind === "request");
    probe.wire.send(`{"jsonrpc":"2.0","id":${message.id},"result":{"action":"decline"}}`);
    assert.equal(await resultOf(probe, 2), "decline");
    assert.equal((await probe.message("notifications/progress")).origin, 2);
  });

  it("hears on the GET stream what belongs to no request", async () => {
    await using peer = await serveSdk();
    await using probe = new WireProbe(openHttp(wireOptions(peer.url, client)));
    await probe.handshake();
    const tell = setInterval(() => void peer.server().sendToolListChanged(), 20);
    assert.equal((await probe.message("notifications/tools/list_changed")).origin, NO_REQUEST);
    clearInterval(tell);
  });

  it("comes back for the answer when the server closes the stream to be polled", async () => {
    const mayAnswer = gate();
    await using peer = await serveSdk(
      { eventStore: new MemoryEvents(), retryInterval: 300 },
      mayAnswer.passed,
    );
    const options = wireOptions(peer.url, client);
    await using probe = new WireProbe(openHttp(options));
    await probe.handshake();
    await probe.answer(1);
    callTool(probe, 2, "poll", { late: true });
    await eventually(
      "the wait",
      () => probe.received.some(({ origin }) => origin === 2) && options.clock.pending === 1,
    );
    await options.clock.advance(300);
    mayAnswer.open();
    assert.equal(await resultOf(probe, 2), '{"late":true}');
    assert.equal((await probe.answer(2)).origin, 2);
  });

  it("speaks to a server without sessions", async () => {
    await using fixture = await serveHttp(async (request, response) => {
      if (request.method !== "POST") return void response.writeHead(405).end();
      const transport = new StreamableHTTPServerTransport({});
      await createServer().connect(transport as Transport);
      await transport.handleRequest(request, response);
    });
    await using probe = new WireProbe(openHttp(wireOptions(fixture.url, client)));
    await probe.handshake();
    callTool(probe, 2, "echo", { a: 1 });
    assert.equal(await resultOf(probe, 2), '{"a":1}');
  });

  it("reports a session the server has forgotten", async () => {
    await using peer = await serveSdk();
    await using probe = new WireProbe(openHttp(wireOptions(peer.url, client)));
    await probe.handshake();
    callTool(probe, 2, "echo", {});
    await probe.answer(2);
    await peer.restart();
    await using other = new WireProbe(openHttp(wireOptions(peer.url, client)));
    await other.handshake();
    callTool(probe, 3, "echo");
    const { details } = await probe.failure(3);
    assert.deepEqual([details.reason, details.executed], ["session lost", "no"]);
    assert.equal((await probe.end()).details.reason, "session lost");
  });
});

describe("an HTTP+SSE wire to the SDK's server", () => {
  it("calls tools and answers questions", async () => {
    const server = createServer();
    let transport: SSEServerTransport | undefined;
    const serve = async (request: IncomingMessage, response: ServerResponse) => {
      if (request.method === "POST" && request.url?.startsWith("/messages")) {
        return await transport?.handlePostMessage(request, response);
      }
      if (request.method !== "GET") return void response.writeHead(404).end();
      transport = new SSEServerTransport("/messages", response);
      await server.connect(transport as Transport);
    };
    await using fixture = await serveHttp((request, response) => void serve(request, response));
    await using streamable = new WireProbe(openHttp(wireOptions(fixture.url, client)));
    streamable.call(1, "initialize");
    assert.equal((await streamable.end()).details.more?.["fallback"], "http_sse");
    await using probe = new WireProbe(openHttpSse(wireOptions(fixture.url, client)));
    await probe.handshake("2024-11-05");
    callTool(probe, 2, "echo", { a: 1 });
    assert.equal(await resultOf(probe, 2), '{"a":1}');
    callTool(probe, 3, "ask");
    const { message } = await probe.message("elicitation/create");
    assert.ok(message.kind === "request");
    probe.wire.send(`{"jsonrpc":"2.0","id":${message.id},"result":{"action":"decline"}}`);
    assert.equal(await resultOf(probe, 3), "decline");
  });
});
