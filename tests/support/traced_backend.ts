/** Backends that tell what they got of a trace: a process, and a legacy server over HTTP. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { bodyOf, serveHttp } from "./http_fixture.ts";
import type { Rpc } from "./http_session.ts";
import { executable, REPOSITORY } from "./runtime.ts";

/** Configuration of `tests/fixtures/traced_backend.mjs`: tools `meta`, `ask`, `steps`, `fail`. */
export function tracedProcess(extra: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    command: executable("node"),
    args: [join(REPOSITORY, "tests/fixtures/traced_backend.mjs")],
    era: "legacy",
    ...extra,
  };
}

/** A call as it came. */
export interface TracedCall {
  readonly meta: Rpc | undefined;
  readonly headers: IncomingHttpHeaders;
}

export interface TracedServer {
  readonly url: string;
  readonly calls: readonly TracedCall[];
  /** The next so many calls break off without an answer. */
  breakOff(times: number): void;
  close(): Promise<void>;
}

const LISTS: Readonly<Record<string, unknown>> = {
  "initialize": {
    protocolVersion: "2025-11-25",
    capabilities: { tools: {} },
    serverInfo: { name: "traced", version: "1" },
  },
  "ping": {},
  "tools/list": { tools: [{ name: "meta", inputSchema: { type: "object" } }] },
};

/** A Streamable HTTP server with one tool, `meta`. */
export async function startTracedServer(): Promise<TracedServer> {
  const calls: TracedCall[] = [];
  let broken = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== "POST") return void response.writeHead(405).end();
    const { id, method = "", params } = JSON.parse(await bodyOf(request)) as Rpc;
    if (id === undefined) return void response.writeHead(202).end();
    if (method === "tools/call") {
      calls.push({ meta: params["_meta"], headers: request.headers });
      if (broken-- > 0) return void response.destroy();
    }
    const result = LISTS[method] ?? {
      content: [{ type: "text", text: JSON.stringify(params["_meta"] ?? null) }],
    };
    const headers = { "content-type": "application/json", "mcp-session-id": "traced" };
    response.writeHead(200, headers).end(JSON.stringify({ jsonrpc: "2.0", id, result }));
  }

  const server = await serveHttp(answer, "/mcp");
  return {
    url: server.url.href,
    calls,
    breakOff: (times) => void (broken = times),
    close: server.close,
  };
}
