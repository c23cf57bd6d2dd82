/** A Streamable HTTP server that agrees to tell of some resources, refuses others and never answers to others. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { bodyOf, serveHttp } from "../../support/http_fixture.ts";
import type { Rpc } from "../../support/http_session.ts";

export interface ResourceBackend {
  readonly url: string;
  /** URIs that somebody subscribed to, in order. */
  readonly asked: string[];
  close(): Promise<void>;
}

/** Refuses URIs with "refused" in them, and says nothing to those with "unanswered". */
export async function startResourceBackend(uris: readonly string[]): Promise<ResourceBackend> {
  const asked: string[] = [];
  const lists: Readonly<Record<string, unknown>> = {
    "initialize": {
      protocolVersion: "2025-06-18",
      capabilities: { resources: { subscribe: true } },
      serverInfo: { name: "resources", version: "1" },
    },
    "resources/list": { resources: uris.map((uri) => ({ uri, name: uri })) },
    "resources/templates/list": { resourceTemplates: [] },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== "POST") return void response.writeHead(405).end();
    const { id, method = "", params } = JSON.parse(await bodyOf(request)) as Rpc;
    if (id === undefined) return void response.writeHead(202).end();
    const uri = method === "resources/subscribe" ? String(params?.["uri"]) : "";
    if (uri !== "") asked.push(uri);
    if (uri.includes("unanswered")) return;
    const reply = uri.includes("refused")
      ? { error: { code: -32602, message: "no" } }
      : { result: lists[method] ?? {} };
    response.writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify({ jsonrpc: "2.0", id, ...reply }));
  }

  const { url, close } = await serveHttp(answer, "/mcp");
  return { url: url.href, asked, close };
}
