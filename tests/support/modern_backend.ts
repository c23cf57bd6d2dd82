/** Servers of revision 2026-07-28: on the official SDK v2, and one that answers as it is told. */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { bodyOf, type HttpFixture, serveHttp } from "./http_fixture.ts";
import type { Rpc } from "./http_session.ts";
import { createMcpHandler, inputRequired, type ServerContext, ServerV2 } from "./sdk_v2.ts";

/** What the server does beside answering. */
export interface ModernHooks {
  /** The call of a waiting tool was cancelled. */
  cancelled?(): void;
  /** A call asks for the list of tools to change. */
  grow?(server: ServerV2): Promise<void> | void;
  /** A call asks for this resource to be updated. */
  touch?(server: ServerV2, uri: string): Promise<void> | void;
}

const OBJECT = { type: "object" } as const;
const TOOLS = [
  {
    name: "échø",
    inputSchema: {
      ...OBJECT,
      properties: {
        region: { type: "string", "x-mcp-header": "Region" },
        place: {
          type: "object",
          properties: { row: { type: "integer", "x-mcp-header": "Row" } },
        },
      },
    },
  },
  ...["wait", "steps", "ask", "grow", "touch"].map((name) => ({ name, inputSchema: OBJECT })),
] as const;

/** Tools `échø`, `wait`, `steps` (progress and log), `ask` (one question), `grow`, `touch`; resource `note:a`. */
export function createModernServer(hooks: ModernHooks = {}): ServerV2 {
  const server = new ServerV2({ name: "v2", version: "1" }, {
    capabilities: {
      tools: { listChanged: true },
      resources: { subscribe: true },
      logging: {},
    },
    instructions: "Be modern.",
  });
  server.setRequestHandler("tools/list", () => ({ tools: [...TOOLS] as never }));
  server.setRequestHandler("resources/list", () => ({
    resources: [{ uri: "note:a", name: "a" }],
  }));
  server.setRequestHandler("tools/call", async ({ params }, context) => {
    const { name, arguments: args = {} } = params;
    if (name === "ask") return asked(context);
    if (name === "wait") await aborted(context, hooks);
    if (name === "steps") await step(context);
    if (name === "grow") await hooks.grow?.(server);
    if (name === "touch") await hooks.touch?.(server, String(args["uri"]));
    return { content: [{ type: "text", text: JSON.stringify(args) }] };
  });
  return server;
}

function asked({ mcpReq }: ServerContext): never {
  const answer = mcpReq.inputResponses?.["sure"];
  const sure = { message: "Sure?", requestedSchema: { ...OBJECT, properties: {} } };
  if (answer !== undefined) return { content: [{ type: "text", text: "thanks" }] } as never;
  return inputRequired({
    inputRequests: { sure: inputRequired.elicit(sure) },
    requestState: "state",
  }) as never;
}

async function aborted({ mcpReq: { signal } }: ServerContext, hooks: ModernHooks): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  hooks.cancelled?.();
}

async function step({ mcpReq }: ServerContext): Promise<void> {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken !== undefined) {
    const params = { progressToken, progress: 1 };
    await mcpReq.notify({ method: "notifications/progress", params });
  }
  await mcpReq.log("info", "half");
}

/** One POST that came. */
export interface ModernSeen {
  readonly headers: IncomingMessage["headers"];
  readonly message: Rpc;
}

export interface ModernBackend extends HttpFixture {
  readonly seen: ModernSeen[];
  readonly cancelled: () => number;
  /** Ends all streams, as a restart does. */
  readonly drop: () => void;
}

/** A modern server over HTTP; `legacy` requests are refused unless it serves them too. */
export async function serveModern(
  legacy: "stateless" | "reject" = "reject",
): Promise<ModernBackend> {
  const seen: ModernSeen[] = [];
  const open = new Set<ServerResponse>();
  let cancelled = 0;
  const handler = createMcpHandler(() =>
    createModernServer({
      cancelled: () => void cancelled++,
      grow: () => handler.notify.toolsChanged(),
      touch: (_server, uri) => handler.notify.resourceUpdated(uri),
    }), { legacy });
  const fixture = await serveHttp(async (incoming, outgoing) => {
    const text = await bodyOf(incoming).catch(() => "");
    if (text !== "") seen.push({ headers: incoming.headers, message: JSON.parse(text) as Rpc });
    open.add(outgoing);
    outgoing.on("close", () => open.delete(outgoing));
    await relay(incoming, text, outgoing, handler.fetch);
  }, "/mcp");
  const drop = () => {
    for (const response of open) response.destroy();
  };
  return { ...fixture, seen, cancelled: () => cancelled, drop };
}

async function relay(
  { method = "POST", headers }: IncomingMessage,
  text: string,
  outgoing: ServerResponse,
  fetch: (request: Request) => Promise<Response>,
): Promise<void> {
  const gone = new AbortController();
  outgoing.on("close", () => gone.abort());
  const init: RequestInit = {
    method,
    headers: headers as Record<string, string>,
    signal: gone.signal,
  };
  if (method === "POST") init.body = text;
  const response = await fetch(new Request("http://127.0.0.1/mcp", init));
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.flushHeaders();
  const reader = response.body?.getReader();
  gone.signal.addEventListener("abort", () => void reader?.cancel().catch(() => {}));
  for (;;) {
    const { done, value } = await reader?.read() ?? { done: true, value: undefined };
    if (done || gone.signal.aborted) break;
    if (!outgoing.write(Buffer.from(value))) {
      await once(outgoing, "drain", { signal: gone.signal }).catch(() => {});
    }
  }
  outgoing.end();
}

/** A valid answer to `server/discover`. */
export function discovered(capabilities: unknown = { tools: {} }): Rpc {
  return {
    resultType: "complete",
    supportedVersions: ["2026-07-28"],
    capabilities,
    ttlMs: 0,
    cacheScope: "private",
    _meta: { "io.modelcontextprotocol/serverInfo": { name: "scripted", version: "1" } },
  };
}
