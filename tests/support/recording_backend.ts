/** A Streamable HTTP server that offers things under its own name and notes each call that reaches it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { bodyOf, serveHttp } from "./http_fixture.ts";
import type { Rpc } from "./http_session.ts";

export interface RecordingBackend {
  readonly url: string;
  /** `method name` of each call, in order; what the gateway asks for its catalog is not in it. */
  readonly reached: string[];
  /** Sends a notification on its own stream, the first that is opened. */
  notify(method: string, params: unknown): Promise<void>;
  close(): Promise<void>;
}

const NAMED = ["open", "work", "danger"];

function listsOf(name: string, tools: readonly string[]): Readonly<Record<string, unknown>> {
  return {
    "initialize": {
      protocolVersion: "2025-06-18",
      capabilities: {
        tools: {},
        prompts: {},
        resources: { subscribe: true },
        completions: {},
        logging: {},
      },
      serverInfo: { name, version: "1" },
      instructions: `Instructions of ${name}.`,
    },
    // No answer of the modern era: it is a legacy server.
    "server/discover": {},
    "ping": {},
    "logging/setLevel": {},
    "tools/list": {
      tools: tools.map((tool) => ({ name: tool, inputSchema: { type: "object" } })),
    },
    "prompts/list": { prompts: [{ name: "ask" }] },
    "resources/list": { resources: [{ uri: `${name}://doc`, name: "doc" }] },
    "resources/templates/list": {
      resourceTemplates: [{ uriTemplate: `${name}://item/{id}`, name: "item" }],
    },
  };
}

const ANSWERS: Readonly<Record<string, unknown>> = {
  "tools/call": { content: [{ type: "text", text: "done" }] },
  "prompts/get": { messages: [] },
  "resources/read": { contents: [] },
  "resources/subscribe": {},
  "resources/unsubscribe": {},
  "completion/complete": { completion: { values: [] } },
};

/** `name` stands in its URIs and instructions; `tools` are the names of its tools. */
export async function startRecordingBackend(
  name: string,
  tools: readonly string[] = NAMED,
): Promise<RecordingBackend> {
  const lists = listsOf(name, tools);
  const reached: string[] = [];
  const stream = Promise.withResolvers<ServerResponse>();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "GET") {
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      return stream.resolve(response);
    }
    if (request.method === "DELETE") return void response.writeHead(200).end();
    const { id, method = "", params } = JSON.parse(await bodyOf(request)) as Rpc;
    if (id === undefined) return void response.writeHead(202).end();
    const list = lists[method];
    if (list === undefined) reached.push(`${method} ${targetOf(params)}`);
    const result = list ?? ANSWERS[method] ?? {};
    const headers = { "content-type": "application/json", "mcp-session-id": name };
    response.writeHead(200, headers).end(JSON.stringify({ jsonrpc: "2.0", id, result }));
  }

  const server = await serveHttp(answer, "/mcp");
  return {
    url: server.url.href,
    reached,
    notify: async (method, params) => {
      const text = JSON.stringify({ jsonrpc: "2.0", method, params });
      (await stream.promise).write(`data: ${text}\n\n`);
    },
    close: server.close,
  };
}

function targetOf(params: Rpc): string {
  const { name, uri, ref } = params as Record<string, { name?: string; uri?: string } | undefined>;
  return String(name ?? uri ?? ref?.name ?? ref?.uri);
}
