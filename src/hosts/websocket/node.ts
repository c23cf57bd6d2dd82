/** WebSocket behind a `node:http` server: plain on Node, behind TLS on every runtime. */
import { Buffer } from "node:buffer";
import type { IncomingMessage, Server } from "node:http";
import process from "node:process";
import type { Duplex } from "node:stream";
import type { HttpHandler, HttpOutgoing, Upgrade } from "../../core/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import { NodeIncoming } from "../node/http_message.ts";
import { BAD_HOST_BODY } from "../host_header.ts";
import { isTargetUsable, type PeerOf } from "../node/message_server.ts";
import { WebSocketLinks } from "./links.ts";

// See message_server.ts for why this is no import.
const { STATUS_CODES } = process.getBuiltinModule("node:http");

export interface AcceptOptions {
  readonly handle: HttpHandler;
  readonly peerOf: PeerOf;
  readonly clock: Clock;
}

/** Connections that were upgraded, or are about to be. */
export interface Upgrades {
  /** Resolves when none is open. */
  none(): Promise<void>;
  /** Cuts all of them. */
  abort(): void;
}

/** Takes the upgrades of a server. The library is loaded with the first one. */
export function acceptUpgrades(server: Server, options: AcceptOptions): Upgrades {
  const links = new WebSocketLinks(options.clock);
  const sockets = new Set<Duplex>();
  server.on("upgrade", (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // Its end is all that matters, and follows.
    socket.on("error", () => {});
    void upgrade(options, links, { incoming, socket, head });
  });
  return {
    none: () => links.none(),
    abort: () => {
      links.abort();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A request to upgrade, as the server hands it over. */
export interface Asked {
  readonly incoming: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

class UpgradeIncoming extends NodeIncoming {
  readonly wantsUpgrade = true;
}

async function upgrade(
  { handle, peerOf }: AcceptOptions,
  links: WebSocketLinks,
  asked: Asked,
): Promise<void> {
  const { incoming, socket } = asked;
  if (!isTargetUsable(incoming)) return refuse(socket, BAD_HOST);
  const answer = await handle(new UpgradeIncoming(incoming, socket), peerOf(incoming));
  if (answer.upgrade === undefined) return refuse(socket, answer);
  await accept(answer.upgrade, links, asked);
}

async function accept(admitted: Upgrade, links: WebSocketLinks, asked: Asked): Promise<void> {
  let made = false;
  const abandon = () => {
    if (!made) admitted.abandon();
  };
  if (asked.socket.destroyed) return abandon();
  asked.socket.once("close", abandon);
  const { handshake } = await import("./handshake.ts");
  handshake(admitted, asked, (open) => {
    made = true;
    open(links);
  });
}

const BAD_HOST: HttpOutgoing = {
  status: 400,
  headers: { "content-type": "application/json" },
  body: BAD_HOST_BODY,
};

/** Answers on the bare connection, and ends it. */
function refuse(socket: Duplex, { status, headers, body }: HttpOutgoing): void {
  if (body instanceof ReadableStream) void body.cancel().catch(() => {});
  const text = typeof body === "string" ? body : "";
  const fields = {
    ...headers,
    "content-length": String(Buffer.byteLength(text)),
    "connection": "close",
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("")}\r\n${text}`);
  socket.once("finish", () => socket.destroy());
}
