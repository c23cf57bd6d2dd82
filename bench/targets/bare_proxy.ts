/**
 * A pass-through proxy that knows nothing of MCP: the floor of a gateway on each runtime.
 * Argument: the origin to forward to. Node runs `node:http` and undici, Bun and Deno their own server
 * and `fetch`.
 */
import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import process from "node:process";
import type { Agent } from "undici";
import { listen } from "./listen.ts";

const origin = process.argv[2] ?? "";
const HOP_BY_HOP = ["host", "connection", "content-length", "transfer-encoding", "keep-alive"];

async function web(request: Request): Promise<Response> {
  const headers = new Headers(request.headers);
  for (const name of HOP_BY_HOP) headers.delete(name);
  const body = request.method === "POST" ? await request.arrayBuffer() : null;
  const reply = await fetch(origin + new URL(request.url).pathname, {
    method: request.method,
    headers,
    body,
  });
  const passed = new Headers(reply.headers);
  for (const name of HOP_BY_HOP) passed.delete(name);
  // Taken whole, so that a small reply goes out in one write.
  const content = reply.status === 202 ? null : await reply.arrayBuffer();
  return new Response(content, { status: reply.status, headers: passed });
}

async function forward(agent: Agent, request: IncomingMessage, response: ServerResponse) {
  const reply = await agent.request({
    origin,
    path: request.url ?? "/",
    method: request.method === "POST" ? "POST" : "DELETE",
    headers: without(request.headers),
    body: await bodyOf(request),
  });
  const content = Buffer.from(await reply.body.arrayBuffer());
  const headers = { ...without(reply.headers), "content-length": content.length };
  response.writeHead(reply.statusCode, headers).end(content);
}

function without<T extends object>(headers: T): T {
  const kept = { ...headers };
  for (const name of HOP_BY_HOP) Reflect.deleteProperty(kept, name);
  return kept;
}

function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => resolve(Buffer.concat(parts)));
    request.on("error", reject);
  });
}

async function nodeListener() {
  const { Agent } = await import("undici");
  const agent = new Agent({ connections: 512, pipelining: 1 });
  return (request: IncomingMessage, response: ServerResponse) => {
    forward(agent, request, response).catch(() => response.destroy());
  };
}

const onNode = !("Bun" in globalThis) && !("Deno" in globalThis);
await listen(web, onNode ? await nodeListener() : () => {});
