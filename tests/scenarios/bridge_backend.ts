/** A legacy Streamable HTTP server with sessions whose tool asks twice before it answers. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { bodyOf, type HttpFixture, serveHttp } from "../support/http_fixture.ts";
import type { Rpc } from "../support/http_session.ts";

const TOOLS = [{
  name: "ask",
  inputSchema: { type: "object", properties: { who: { type: "string" } } },
}];
const FORM = { type: "object", properties: { mark: { type: "string" } } };

export interface AskingBackend extends HttpFixture {
  /** Sessions in which the tool was called. */
  readonly sessions: ReadonlySet<string>;
  /** Calls that are not answered yet. */
  readonly open: () => number;
  /** Requests that were cancelled. */
  readonly cancelled: readonly unknown[];
}

export async function startAskingBackend(): Promise<AskingBackend> {
  /** What waits for the client's answer, by session and id of the question. */
  const waiting = new Map<string, (result: Rpc) => void>();
  const sessions = new Set<string>();
  const cancelled: unknown[] = [];
  let open = 0;
  let questions = 0;

  function ask(response: ServerResponse, session: string, message: string): Promise<Rpc> {
    const id = ++questions;
    const params = { message, requestedSchema: FORM };
    event(response, { id, method: "elicitation/create", params });
    return new Promise((resolve) => waiting.set(`${session} ${id}`, resolve));
  }

  async function call(response: ServerResponse, session: string, { id, params }: Rpc) {
    open++;
    sessions.add(session);
    const who = String(params["arguments"].who);
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    const first = await ask(response, session, `one for ${who}`);
    const second = await ask(response, session, `two for ${who}`);
    const text = [who, first["content"]?.mark, second["content"]?.mark].join(" ");
    event(response, { id, result: { content: [{ type: "text", text }] } });
    response.end();
    open--;
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "GET") return void response.writeHead(405).end();
    if (request.method === "DELETE") return void response.writeHead(200).end();
    const message = JSON.parse(await bodyOf(request)) as Rpc;
    const session = String(request.headers["mcp-session-id"] ?? "");
    if (message.method === undefined) {
      waiting.get(`${session} ${message.id}`)?.(message["result"] as Rpc);
      return void response.writeHead(202).end();
    }
    if (message.method === "notifications/cancelled") cancelled.push(message["params"].requestId);
    if (message.id === undefined) return void response.writeHead(202).end();
    if (message.method === "tools/call") return await call(response, session, message);
    const result = answerTo(message.method);
    if (result === undefined) return refuse(response, message.id);
    const headers = {
      "content-type": "application/json",
      ...(message.method === "initialize" ? { "mcp-session-id": randomUUID() } : {}),
    };
    response.writeHead(200, headers).end(textOf({ id: message.id, result }));
  }

  const server = await serveHttp(handle, "/mcp");
  return { ...server, sessions, cancelled, open: () => open };
}

function answerTo(method: string): unknown {
  if (method === "tools/list") return { tools: TOOLS };
  if (method !== "initialize") return undefined;
  return {
    protocolVersion: "2025-11-25",
    capabilities: { tools: {} },
    serverInfo: { name: "asking", version: "1" },
  };
}

/** As a server of the era does that does not know the method. */
function refuse(response: ServerResponse, id: unknown): void {
  const text = textOf({ id, error: { code: -32601, message: "Method not found" } });
  response.writeHead(400, { "content-type": "application/json" }).end(text);
}

function event(response: ServerResponse, message: Record<string, unknown>): void {
  response.write(`data: ${textOf(message)}\n\n`);
}

function textOf(message: Record<string, unknown>): string {
  return JSON.stringify({ jsonrpc: "2.0", ...message });
}
