/** A Streamable HTTP server whose definitions a test changes while it runs. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { bodyOf, serveHttp } from "./http_fixture.ts";
import type { Rpc } from "./http_session.ts";

export type Definition = Readonly<Record<string, unknown>>;

export interface ChangingBackend {
  readonly url: string;
  /** What it lists from now on. */
  tools: readonly Definition[];
  prompts: readonly Definition[];
  /** What it calls itself at the next handshake. */
  name: string;
  /** Awaited before a handshake is answered. */
  handshake: Promise<void>;
  /** Name of each tool and prompt that was called, in order. */
  readonly reached: string[];
  /** Says on its stream that the list is another one. */
  announce(): Promise<void>;
  /** Ends all connections; the next request is for a server that knows no session. */
  restart(): void;
  close(): Promise<void>;
}

export async function startChangingBackend(tools: readonly Definition[]): Promise<ChangingBackend> {
  let stream = Promise.withResolvers<ServerResponse>();
  let life = 1;
  const lists: Readonly<Record<string, () => unknown>> = {
    "initialize": () => ({
      protocolVersion: "2025-06-18",
      capabilities: { tools: { listChanged: true }, prompts: {}, completions: {} },
      serverInfo: { name: backend.name, version: "1" },
    }),
    // No answer of the modern era: it is a legacy server.
    "server/discover": () => ({}),
    "ping": () => ({}),
    "tools/list": () => ({ tools: backend.tools }),
    "prompts/list": () => ({ prompts: backend.prompts }),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "GET") {
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      return stream.resolve(response);
    }
    if (request.method === "DELETE") return void response.writeHead(200).end();
    const { id, method = "", params } = JSON.parse(await bodyOf(request)) as Rpc;
    const session = request.headers["mcp-session-id"];
    if (session !== undefined && session !== `life-${life}`) {
      return void response.writeHead(404).end();
    }
    if (id === undefined) return void response.writeHead(202).end();
    if (method === "initialize") await backend.handshake;
    const list = lists[method];
    if (list === undefined) backend.reached.push(String(params?.["name"] ?? params?.["ref"]?.name));
    const result = list?.() ?? { content: [{ type: "text", text: "done" }], messages: [] };
    const headers = { "content-type": "application/json", "mcp-session-id": `life-${life}` };
    response.writeHead(200, headers).end(JSON.stringify({ jsonrpc: "2.0", id, result }));
  }

  const server = await serveHttp(answer, "/mcp");
  const backend: ChangingBackend = {
    url: server.url.href,
    tools,
    prompts: [],
    name: "changing",
    handshake: Promise.resolve(),
    reached: [],
    announce: async () => {
      const text = JSON.stringify({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });
      (await stream.promise).write(`data: ${text}\n\n`);
    },
    restart: () => {
      life++;
      void stream.promise.then((response) => response.destroy());
      stream = Promise.withResolvers();
    },
    close: server.close,
  };
  return backend;
}
