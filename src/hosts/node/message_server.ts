/** A `node:http` server around a handler, without Request and Response: they cost more than the call. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import process from "node:process";
import type { HttpHandler, Peer } from "../../core/mod.ts";
import { BAD_HOST_BODY, isHostUsable, isProbe, MAX_HEADER_BYTES } from "../host_header.ts";
import { asksForWebSocket } from "../websocket/request.ts";
import { NodeIncoming, respond } from "./http_message.ts";

// An `import` would read every export of the module, and Node loads all of undici for one of them (15 ms).
const { createServer } = process.getBuiltinModule("node:http");

/** Slow senders are dropped (trust.md A7): the head comes within 15 s, looks included. */
export const HEADERS_MS = 14_000;
const LOOK_MS = 1000;
/** The core bounds bodies; this bounds those that nobody reads, of requests that were refused. */
export const REQUEST_MS = 300_000;
export const KEEP_ALIVE_MS = 65_000;

/** Gives who is at the other end of a request's connection. */
export type PeerOf = (incoming: IncomingMessage) => Peer;

export function createMessageServer(handle: HttpHandler, peerOf: PeerOf = addressOf): Server {
  return createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: LOOK_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Two tokens are none: without this the first one would silently count.
    joinDuplicateHeaders: true,
    // Others that ask for an upgrade, such as to HTTP/2, are served as they are.
    shouldUpgradeCallback: ({ method, url = "", headers }) =>
      asksForWebSocket(method, url, headers.upgrade),
  }, (incoming, outgoing) => {
    if (isTargetUsable(incoming)) void answer(handle, peerOf(incoming), { incoming, outgoing });
    else refuse(outgoing);
  });
}

/** The peer of a connection without a client certificate. */
export function addressOf({ socket: { remoteAddress } }: IncomingMessage): Peer {
  return remoteAddress === undefined ? {} : { address: remoteAddress };
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

async function answer(
  handle: HttpHandler,
  peer: Peer,
  { incoming, outgoing }: Exchange,
): Promise<void> {
  respond(outgoing, await handle(new NodeIncoming(incoming, outgoing), peer));
}

export function isTargetUsable(
  { method, rawHeaders, headers, url = "" }: IncomingMessage,
): boolean {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4 && name.toLowerCase() === "host") hosts++;
  }
  if (hosts === 0) return isProbe(method, url);
  if (hosts > 1) return false;
  const absolute = url.startsWith("/") ? `http://${headers.host}${url}` : url;
  return isHostUsable(headers.host, absolute);
}

function refuse(outgoing: ServerResponse): void {
  outgoing.writeHead(400, { "content-type": "application/json", "connection": "close" });
  outgoing.end(BAD_HOST_BODY);
}
