import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createParser } from "eventsource-parser";
import { fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { BASE, HEADERS, type Rpc } from "../../support/http_session.ts";

/** A 2024-11-05 client: everything comes on one stream. */
class SseClient {
  readonly endpoint: Promise<string>;
  readonly #gateway: TestCore;
  readonly #waiting = new Map<unknown, (message: Rpc) => void>();
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  private constructor(gateway: TestCore, body: ReadableStream<Uint8Array>) {
    this.#gateway = gateway;
    this.#reader = body.getReader();
    const { promise, resolve } = Promise.withResolvers<string>();
    this.endpoint = promise;
    void this.#read(resolve);
  }

  static async open(gateway: TestCore): Promise<SseClient> {
    const response = await gateway.core.fetch(
      new Request(`${BASE}/sse`, { headers: { host: "127.0.0.1:8808" } }),
    );
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    return new SseClient(gateway, response.body as ReadableStream<Uint8Array>);
  }

  async post(message: unknown): Promise<Response> {
    const body = typeof message === "string" ? message : JSON.stringify(message);
    return await this.#gateway.core.fetch(
      new Request(BASE + await this.endpoint, { method: "POST", headers: HEADERS, body }),
    );
  }

  async request(id: number, method: string, params?: unknown): Promise<Rpc> {
    const { promise, resolve } = Promise.withResolvers<Rpc>();
    this.#waiting.set(id, resolve);
    assert.equal((await this.post({ jsonrpc: "2.0", id, method, params })).status, 202);
    return await promise;
  }

  initialize(): Promise<Rpc> {
    return this.request(0, "initialize", {
      protocolVersion: "2024-11-05",
      capabilities: {},
      clientInfo: { name: "s", version: "1" },
    });
  }

  leave(): Promise<void> {
    return this.#reader.cancel();
  }

  async #read(endpoint: (path: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    const parser = createParser({
      onEvent: ({ event, data }) => {
        if (event === "endpoint") return endpoint(data);
        const message = JSON.parse(data) as Rpc;
        this.#waiting.get(message.id)?.(message);
      },
    });
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
    }
  }
}

describe("HTTP+SSE front", () => {
  let gateway: TestCore;
  before(async () => {
    gateway = await startCore({ backends: { fix: fixtureBackend() } });
  });
  after(() => gateway.stop());

  it("the first event is a relative endpoint; answers travel on the stream", async () => {
    const client = await SseClient.open(gateway);
    assert.match(await client.endpoint, /^\/messages\/\?session_id=[0-9a-f]{32}$/);
    assert.equal((await client.initialize())["result"].protocolVersion, "2024-11-05");
    const { result } = await client.request(1, "tools/call", {
      name: "fix__echo",
      arguments: { a: 1 },
    });
    assert.equal(result.content[0].text, '{"a":1}');
    await client.leave();
  });

  it("a bad body, a wrong type and an unknown session are refused on the POST", async () => {
    const client = await SseClient.open(gateway);
    assert.equal((await client.post("{")).status, 400);
    const post = (path: string, headers: Record<string, string>) =>
      gateway.core.fetch(
        new Request(BASE + path, {
          method: "POST",
          headers: { ...HEADERS, ...headers },
          body: "{}",
        }),
      );
    assert.equal((await post(await client.endpoint, { "content-type": "text/plain" })).status, 415);
    assert.equal((await post("/messages/?session_id=0", {})).status, 404);
    assert.equal((await post("/messages/", {})).status, 404);
    await client.leave();
  });

  it("closing the stream ends the session", async () => {
    const client = await SseClient.open(gateway);
    await client.initialize();
    const before = gateway.core.snapshot().sessions;
    await client.leave();
    assert.equal(gateway.core.snapshot().sessions, before - 1);
    assert.equal((await client.post({ jsonrpc: "2.0", id: 9, method: "ping" })).status, 404);
  });

  it("its sessions cannot be used through Streamable HTTP", async () => {
    const client = await SseClient.open(gateway);
    const id = (await client.endpoint).split("=")[1] as string;
    const request = new Request(`${BASE}/mcp`, {
      method: "POST",
      headers: { ...HEADERS, "mcp-session-id": id },
      body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    });
    assert.equal((await gateway.core.fetch(request)).status, 404);
    await client.leave();
  });
});
