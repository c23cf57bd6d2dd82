/** A server of the legacy era on the official SDK v1: `legacy_peer.ts http|sse|stdio`. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import process from "node:process";
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  CreateMessageResultSchema,
  ElicitResultSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  type RequestHandlerExtra,
  Server,
  type ServerNotification,
  type ServerRequest,
  SetLevelRequestSchema,
  SSEServerTransport,
  StdioServerTransport,
  StreamableHTTPServerTransport,
  SubscribeRequestSchema,
  type Transport,
  UnsubscribeRequestSchema,
} from "../../support/sdk.ts";
import { listen } from "./peer_http.ts";
import {
  act,
  type Arguments,
  ASKED,
  completionsOf,
  type Doing,
  greeting,
  PROMPT,
  readNote,
  RESOURCE,
  SAMPLED,
  toolList,
} from "./peer_tools.ts";

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** Least severe first; a peer that was told no level logs nothing. */
const LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/** Everybody connected to this process. */
const connected = new Map<Server, Connection>();

interface Connection {
  level: string | undefined;
  readonly subscribed: Set<string>;
}

async function connect(transport: Transport): Promise<void> {
  const server = new Server({ name: "legacy-peer", version: "1.0.0" }, {
    capabilities: {
      tools: { listChanged: true },
      prompts: {},
      resources: { subscribe: true },
      completions: {},
      logging: {},
    },
  });
  const connection: Connection = { level: undefined, subscribed: new Set() };
  connected.set(server, connection);
  server.onclose = () => void connected.delete(server);
  handleCalls(server, connection);
  handleTheRest(server, connection);
  await server.connect(transport);
}

function handleCalls(server: Server, connection: Connection): void {
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: toolList() }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    try {
      const text = await answer(params.name, params.arguments ?? {}, extra, connection);
      return { content: [{ type: "text", text }] };
    } catch (cause) {
      const { code } = cause as { code?: number };
      return { content: [{ type: "text", text: `declined, ${code}` }], isError: true };
    }
  });
}

async function answer(
  name: string,
  args: Arguments,
  extra: Extra,
  connection: Connection,
): Promise<string> {
  if (name === "ask") {
    const result = await extra.sendRequest(
      { method: "elicitation/create", params: ASKED as never },
      ElicitResultSchema,
    );
    return String(result.content?.["name"] ?? result.action);
  }
  if (name === "sample") {
    const { content } = await extra.sendRequest(
      { method: "sampling/createMessage", params: SAMPLED as never },
      CreateMessageResultSchema,
    );
    return content.type === "text" ? content.text : content.type;
  }
  return await act(name, args, doingOf(extra, connection));
}

function doingOf(extra: Extra, connection: Connection): Doing {
  return {
    signal: extra.signal,
    progress: async (progress, total) => {
      const progressToken = extra._meta?.progressToken;
      if (progressToken === undefined) return;
      await extra.sendNotification({
        method: "notifications/progress",
        params: { progressToken, progress, total },
      });
    },
    log: async (data) => {
      const least = LEVELS.indexOf(connection.level ?? "");
      if (least < 0 || least > LEVELS.indexOf("info")) return;
      await extra.sendNotification({
        method: "notifications/message",
        params: { level: "info", data },
      });
    },
    toolsChanged: async () => {
      for (const server of connected.keys()) await server.sendToolListChanged();
    },
    resourceUpdated: async (uri) => {
      for (const [server, { subscribed }] of connected) {
        if (subscribed.has(uri)) await server.sendResourceUpdated({ uri });
      }
    },
  };
}

function handleTheRest(server: Server, connection: Connection): void {
  server.setRequestHandler(SetLevelRequestSchema, ({ params }) => {
    connection.level = params.level;
    return {};
  });
  server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
    connection.subscribed.add(params.uri);
    return {};
  });
  server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
    connection.subscribed.delete(params.uri);
    return {};
  });
  server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources: [RESOURCE] }));
  server.setRequestHandler(ReadResourceRequestSchema, () => ({ contents: [readNote()] }));
  server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts: [PROMPT] }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => ({
    messages: [{
      role: "user",
      content: { type: "text", text: greeting(params.arguments?.["name"]) },
    }],
  }));
  server.setRequestHandler(CompleteRequestSchema, ({ params }) => ({
    completion: { values: completionsOf(params.argument.value) },
  }));
}

const overHttp = new Map<string, StreamableHTTPServerTransport>();

async function serveHttp(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const id = request.headers["mcp-session-id"];
  if (id !== undefined) {
    const session = overHttp.get(String(id));
    if (session === undefined) return void response.writeHead(404).end();
    return await session.handleRequest(request, response);
  }
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (session) => void overHttp.set(session, transport),
  });
  await connect(transport as Transport);
  await transport.handleRequest(request, response);
}

const overSse = new Map<string, SSEServerTransport>();

async function serveSse(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://peer");
  if (request.method === "GET" && url.pathname === "/mcp") {
    const transport = new SSEServerTransport("/messages", response);
    overSse.set(transport.sessionId, transport);
    return await connect(transport);
  }
  const transport = overSse.get(url.searchParams.get("sessionId") ?? "");
  if (request.method !== "POST" || transport === undefined) {
    return void response.writeHead(404).end();
  }
  await transport.handlePostMessage(request, response);
}

const [, , wire] = process.argv;
if (wire === "http") listen(serveHttp);
else if (wire === "sse") listen(serveSse);
else await connect(new StdioServerTransport());
