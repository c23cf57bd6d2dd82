/** The HTTP side of the peer programs. */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Listens on a free port of loopback and prints its URL. */
export function listen(handler: Handler): void {
  const server = createServer((request, response) => {
    handler(request, response).catch((cause) => response.destroy(cause as Error));
  });
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    console.log(`http://127.0.0.1:${port}/mcp`);
  });
}

/** Serves a web-standard handler; it learns when the client has gone. */
export function listenFetch(fetch: (request: Request) => Promise<Response>): void {
  listen(async (incoming, outgoing) => {
    const gone = new AbortController();
    outgoing.on("close", () => gone.abort());
    const response = await fetch(await toRequest(incoming, gone.signal));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    await send(response, outgoing, gone.signal);
  });
}

async function toRequest(incoming: IncomingMessage, signal: AbortSignal): Promise<Request> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
  const { method = "GET", url = "/", headers } = incoming;
  const init: RequestInit = { method, headers: headers as Record<string, string>, signal };
  if (method === "POST") init.body = Buffer.concat(chunks);
  return new Request(new URL(url, "http://127.0.0.1"), init);
}

async function send(
  response: Response,
  outgoing: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  const reader = response.body?.getReader();
  gone.addEventListener("abort", () => void reader?.cancel().catch(() => {}));
  for (;;) {
    const { done, value } = await reader?.read() ?? { done: true, value: undefined };
    if (done || gone.aborted) break;
    if (!outgoing.write(value)) await once(outgoing, "drain", { signal: gone }).catch(() => {});
  }
  outgoing.end();
}
