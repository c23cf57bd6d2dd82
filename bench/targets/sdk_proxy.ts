/**
 * The official SDK as a proxy, the obvious way: a Server and a Client for each session.
 * Arguments: the URL of a backend, or `--stdio COMMAND ARG...`, whose one child all sessions share
 * (a child each would cost it tens of megabytes a session and nothing a call).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import process from "node:process";
// @ts-types="@modelcontextprotocol/sdk/client/index"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/stdio"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
// @ts-types="@modelcontextprotocol/sdk/server/index"
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
// @ts-types="@modelcontextprotocol/sdk/server/streamableHttp"
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
// @ts-types="@modelcontextprotocol/sdk/types"
import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { listenNode } from "./listen.ts";

const INFO = { name: "sdk-proxy", version: "1" };
const [target = "", command = "", ...args] = process.argv.slice(2);
const shared = target === "--stdio" ? await sharedChild() : undefined;
const sessions = new Map<string, StreamableHTTPServerTransport>();

async function sharedChild(): Promise<Client> {
  const client = new Client(INFO);
  await client.connect(new StdioClientTransport({ command, args }));
  return client;
}

async function ownClient(): Promise<Client> {
  const client = new Client(INFO);
  await client.connect(new StreamableHTTPClientTransport(new URL(target)));
  return client;
}

async function openSession(): Promise<StreamableHTTPServerTransport> {
  const client = shared ?? await ownClient();
  const server = new Server(INFO, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, ({ params }) => client.listTools(params));
  server.setRequestHandler(CallToolRequestSchema, ({ params }) => client.callTool(params));
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: () => crypto.randomUUID(),
    enableJsonResponse: true,
    onsessioninitialized: (id) => void sessions.set(id, transport),
  });
  await server.connect(transport);
  return transport;
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const id = String(request.headers["mcp-session-id"] ?? "");
  const transport = sessions.get(id) ?? await openSession();
  await transport.handleRequest(request, response);
}

await listenNode((request, response) => {
  handle(request, response).catch(() => response.destroy());
});
