/**
 * A Streamable HTTP server on the official SDK with the fixtures that the conformance suite asks for by
 * name. It checks `Host` itself, as a server on loopback has to.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { StreamableHTTPServerTransport } from "../support/sdk.ts";
import { MemoryEventStore } from "./event_store.ts";
import { createFixtureProtocol } from "./fixture_protocol.ts";

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;
/** How long a client waits before it comes back to a stream the server closed. */
const RETRY_MS = 100;

export interface FixtureServer {
  readonly url: string;
  /** Ends all sessions and connections. */
  close(): Promise<void>;
}

/** Starts the fixture server on a free port of loopback. */
export async function startFixtureServer(): Promise<FixtureServer> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const server = createServer((request, response) => {
    serve(sessions, request, response).catch((cause) => response.destroy(cause as Error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    close: async () => {
      await Promise.all([...sessions.values()].map((session) => session.close()));
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(
  sessions: Map<string, StreamableHTTPServerTransport>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!LOOPBACK.test(request.headers.host ?? "")) return refuse(response, 403, "Foreign Host");
  const id = request.headers["mcp-session-id"];
  if (id === undefined) return await (await openSession(sessions)).handleRequest(request, response);
  const session = sessions.get(String(id));
  if (session === undefined) return refuse(response, 404, "Session not found");
  await session.handleRequest(request, response);
}

/** A request without a session is `initialize`, or the SDK refuses it. */
async function openSession(
  sessions: Map<string, StreamableHTTPServerTransport>,
): Promise<StreamableHTTPServerTransport> {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    eventStore: new MemoryEventStore(),
    retryInterval: RETRY_MS,
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  await createFixtureProtocol().connect(transport);
  return transport;
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ jsonrpc: "2.0", error: { code: -32000, message }, id: null }));
}
