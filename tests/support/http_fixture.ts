/** Real HTTP and TCP servers on loopback for the tests, good and bad. */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";

export interface HttpFixture extends AsyncDisposable {
  readonly url: URL;
  readonly close: () => Promise<void>;
}

export type HttpHandler = (
  request: IncomingMessage,
  response: ServerResponse,
) => void | Promise<void>;

/** Serves `handler` on an ephemeral port; `close` ends open connections too. */
export async function serveHttp(handler: HttpHandler, path = "/"): Promise<HttpFixture> {
  const server = createServer((request, response) => void handler(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return fixtureOf(addressOf(server, path), () => closeServer(server));
}

function fixtureOf(url: URL, close: () => Promise<void>): HttpFixture {
  return { url, close, [Symbol.asyncDispose]: close };
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

/** Serves raw TCP, for answers that no HTTP server gives. */
export async function serveTcp(handler: (socket: Socket) => void): Promise<HttpFixture> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    // The other side may reset the connection; the test looks at what the client makes of it.
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    handler(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return fixtureOf(addressOf(server, "/"), close);
}

/** An address nobody listens on. */
export async function refusedUrl(): Promise<URL> {
  const { url, close } = await serveTcp(() => {});
  await close();
  return url;
}

function addressOf(server: { address(): AddressInfo | string | null }, path: string): URL {
  const { port } = server.address() as AddressInfo;
  return new URL(path, `http://127.0.0.1:${port}`);
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString();
}

/** Resolves when the client has gone from an answer that is under way. */
export async function clientGone(response: ServerResponse): Promise<void> {
  if (!response.closed) await once(response, "close");
}

/** A promise and what resolves it. */
export function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}
