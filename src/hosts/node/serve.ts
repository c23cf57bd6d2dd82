import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { BAD_HOST_BODY, isHostUsable, MAX_HEADER_BYTES } from "../host_header.ts";
import type { Listener, ServeOptions } from "../serve.ts";

/** Slow senders are dropped (trust.md A7): head within 15 s, whole request within 30 s. */
const HEADERS_MS = 15_000;
const REQUEST_MS = 30_000;

/** Listens with `node:http`; `@hono/node-server` gives Request and Response objects that cost little. */
export async function serveNode({ hostname, port, fetch }: ServeOptions): Promise<Listener> {
  const listener = getRequestListener((request, env) => {
    const { remoteAddress } = env.incoming.socket;
    return fetch(request, remoteAddress === undefined ? {} : { address: remoteAddress });
  });
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: 65_000,
  }, (incoming, outgoing) => {
    if (isTargetUsable(incoming)) void listener(incoming, outgoing);
    else refuse(outgoing);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  });
  let draining: ReturnType<typeof setInterval> | undefined;
  return {
    hostname,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          clearInterval(draining);
          resolve();
        });
        // A connection that was busy at the first look stays open as keep-alive: look again (platform.md 2).
        draining = setInterval(() => server.closeIdleConnections(), 50);
        server.closeIdleConnections();
      }),
    abort: () => server.closeAllConnections(),
  };
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
