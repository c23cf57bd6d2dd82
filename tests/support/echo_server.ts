/** A Streamable HTTP server of the official SDK with one tool, `echo`. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  CallToolRequestSchema,
  ListToolsRequestSchema,
  Server,
  StreamableHTTPServerTransport,
  type Transport,
} from "./sdk.ts";

export interface RunningServer {
  readonly url: string;
  close(): Promise<void>;
}

function createEcho(): Server {
  const server = new Server({ name: "echo", version: "1" }, { capabilities: { tools: {} } });
  server.setRequestHandler(
    ListToolsRequestSchema,
    () => ({ tools: [{ name: "echo", inputSchema: { type: "object" as const } }] }),
  );
  server.setRequestHandler(CallToolRequestSchema, ({ params }) => ({
    content: [{ type: "text" as const, text: String(params.arguments?.["text"]) }],
  }));
  return server;
}

/** Sessionless: every request has a server of its own. */
export async function startEchoServer(): Promise<RunningServer> {
  const http = createServer((incoming, outgoing) => {
    if (incoming.method !== "POST") {
      outgoing.writeHead(405).end();
      return;
    }
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
    void createEcho().connect(transport as Transport).then(() =>
      transport.handleRequest(incoming, outgoing)
    );
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}
