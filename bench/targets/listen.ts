import type { RequestListener } from "node:http";

export type WebHandler = (request: Request) => Response | Promise<Response>;

interface BunLike {
  serve(options: {
    port: number;
    hostname: string;
    idleTimeout: number;
    fetch: WebHandler;
  }): { readonly port: number };
}

interface DenoLike {
  serve(
    options: { port: number; hostname: string; onListen(address: { port: number }): void },
    handler: WebHandler,
  ): unknown;
}

const host = globalThis as typeof globalThis & { Bun?: BunLike; Deno?: DenoLike };
const hostname = "127.0.0.1";

/**
 * Serves on a free loopback port and prints the endpoint as one JSON line: Bun and Deno with their own
 * servers and the web handler, Node with `node:http` and the listener.
 */
export async function listen(web: WebHandler, listener: RequestListener): Promise<void> {
  if (host.Bun) announce(host.Bun.serve({ port: 0, hostname, idleTimeout: 0, fetch: web }).port);
  else if (host.Deno) {
    host.Deno.serve({ port: 0, hostname, onListen: ({ port }) => announce(port) }, web);
  } else await listenNode(listener);
}

/** Serves on a free loopback port with `node:http`, on every runtime, and prints the endpoint. */
export async function listenNode(listener: RequestListener): Promise<void> {
  const { createServer } = await import("node:http");
  const server = createServer(listener);
  server.keepAliveTimeout = 0;
  server.listen(0, hostname, () => {
    const address = server.address();
    if (typeof address === "object" && address) announce(address.port);
  });
}

function announce(port: number): void {
  console.log(JSON.stringify({ url: `http://${hostname}:${port}/mcp` }));
}
