import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { HttpHandler } from "../../core/mod.ts";
import { BAD_HOST_BODY, isHostUsable, MAX_HEADER_BYTES } from "../host_header.ts";
import type { Listener, ServeOptions } from "../serve.ts";
import { NodeIncoming, respond } from "./http_message.ts";

/** Slow senders are dropped (trust.md A7): head within 15 s, whole request within 30 s. */
const HEADERS_MS = 15_000;
const REQUEST_MS = 30_000;
const KEEP_ALIVE_MS = 65_000;
/** Between two looks at connections that have become idle while closing. */
const CLOSE_LOOK_MS = 50;

/** Listens with `node:http`, without Request and Response: they would cost more than the call. */
export async function serveNode({ hostname, port, handle }: ServeOptions): Promise<Listener> {
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
  }, (incoming, outgoing) => {
    if (isTargetUsable(incoming)) void answer(handle, incoming, outgoing);
    else refuse(outgoing);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  });
  return {
    hostname,
    port: (server.address() as AddressInfo).port,
    close: () => closeServer(server),
    abort: () => server.closeAllConnections(),
  };
}

async function answer(
  handle: HttpHandler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { remoteAddress } = incoming.socket;
  const peer = remoteAddress === undefined ? {} : { address: remoteAddress };
  respond(outgoing, await handle(new NodeIncoming(incoming), peer));
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // A connection that was busy at the first look stays open as keep-alive: look again (platform.md 2).
    const looking = setInterval(() => server.closeIdleConnections(), CLOSE_LOOK_MS);
    server.close(() => {
      clearInterval(looking);
      resolve();
    });
    server.closeIdleConnections();
  });
}

function isTargetUsable({ rawHeaders, headers, url = "" }: IncomingMessage): boolean {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4 && name.toLowerCase() === "host") hosts++;
  }
  if (hosts !== 1) return false;
  const absolute = url.startsWith("/") ? `http://${headers.host}${url}` : url;
  return isHostUsable(headers.host, absolute);
}

function refuse(outgoing: ServerResponse): void {
  outgoing.writeHead(400, { "content-type": "application/json", "connection": "close" });
  outgoing.end(BAD_HOST_BODY);
}
