/**
 * Streamable HTTP servers on the official SDKs with the fixtures that the conformance suites ask for by
 * name. They check `Host` themselves, as servers on loopback have to.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type Server, StreamableHTTPServerTransport } from "../support/sdk.ts";
import { isLegacyRequest, type McpHttpHandler } from "../support/sdk_v2.ts";
import { MemoryEventStore } from "./event_store.ts";
import { createFixtureProtocol, type FixtureState } from "./fixture_protocol.ts";
import { createModernFixture } from "./modern_fixture.ts";
import { toRequest, writeResponse } from "./node_http.ts";

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;
/** How long a client waits before it comes back to a stream the server closed. */
const RETRY_MS = 100;

export interface FixtureServer {
  readonly url: string;
  /** Ends all sessions and connections. */
  close(): Promise<void>;
}

interface Session {
  readonly transport: StreamableHTTPServerTransport;
  readonly protocol: Server;
}

interface Parts {
  readonly sessions: Map<string, Session>;
  readonly state: FixtureState;
  /** Serves requests without sessions; absent: nobody does. */
  readonly modern: McpHttpHandler | undefined;
}

/**
 * Starts a fixture server on a free port of loopback. Era "legacy": sessions alone; "both": also requests of
 * revision 2026-07-28, each told by its body.
 */
export async function startFixtureServer(
  era: "legacy" | "both" = "legacy",
): Promise<FixtureServer> {
  const parts = createParts(era);
  const server = createServer((request, response) => {
    serve(parts, request, response).catch((cause) => response.destroy(cause as Error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    close: async () => {
      await Promise.all([...parts.sessions.values()].map(({ transport }) => transport.close()));
      await parts.modern?.close();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function createParts(era: "legacy" | "both"): Parts {
  const sessions = new Map<string, Session>();
  const changes = { tools: 0, prompts: 0 };
  const modern = era === "both" ? createModernFixture(changes) : undefined;
  const changed: FixtureState["changed"] = (list) => {
    for (const { protocol } of sessions.values()) {
      void (list === "tools" ? protocol.sendToolListChanged() : protocol.sendPromptListChanged());
    }
  };
  return { sessions, state: { changes, changed }, modern };
}

async function serve(
  parts: Parts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!LOOPBACK.test(request.headers.host ?? "")) return refuse(response, 403, "Foreign Host");
  if (parts.modern === undefined || request.method !== "POST") {
    return await serveSession(parts, request, response);
  }
  const web = toRequest(request, await text(request));
  if (!await isLegacyRequest(web.clone())) {
    return await writeResponse(response, await parts.modern.fetch(web));
  }
  await serveSession(parts, request, response, await parsed(web));
}

/** What is not JSON is left to the transport, which reads it as text that is no message. */
async function parsed(web: Request): Promise<unknown> {
  const body = await web.text();
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

async function serveSession(
  parts: Parts,
  request: IncomingMessage,
  response: ServerResponse,
  body?: unknown,
): Promise<void> {
  const id = request.headers["mcp-session-id"];
  if (id === undefined) {
    return await (await openSession(parts)).handleRequest(request, response, body);
  }
  const session = parts.sessions.get(String(id));
  if (session === undefined) return refuse(response, 404, "Session not found");
  await session.transport.handleRequest(request, response, body);
}

/** A request without a session is `initialize`, or the SDK refuses it. */
async function openSession({ sessions, state }: Parts): Promise<StreamableHTTPServerTransport> {
  const protocol = createFixtureProtocol(state);
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    eventStore: new MemoryEventStore(),
    retryInterval: RETRY_MS,
    onsessioninitialized: (id) => void sessions.set(id, { transport, protocol }),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  await protocol.connect(transport);
  return transport;
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ jsonrpc: "2.0", error: { code: -32000, message }, id: null }));
}
