/** The handshake and frames of WebSocket on a connection of `node:http`, by the library `ws`. */
import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Upgrade } from "../../core/mod.ts";
import type { Socket } from "./link.ts";
import type { WebSocketLinks } from "./links.ts";
import type { Asked } from "./node.ts";

/** Calls `made` when the connection speaks WebSocket; otherwise it is closed. */
export function handshake(
  upgrade: Upgrade,
  { incoming, socket, head }: Asked,
  made: (open: (links: WebSocketLinks) => void) => void,
): void {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // A small message could become a large one.
    perMessageDeflate: false,
    maxPayload: upgrade.maxMessageBytes(),
    handleProtocols: () => upgrade.protocol ?? false,
  });
  server.handleUpgrade(incoming, socket, head, (webSocket) => {
    made((links) => serve(upgrade, links, { webSocket, socket }));
  });
}

interface Opened {
  readonly webSocket: WebSocket;
  readonly socket: Duplex;
}

function serve(upgrade: Upgrade, links: WebSocketLinks, opened: Opened): void {
  const { webSocket } = opened;
  const link = links.open(upgrade, socketOf(opened));
  webSocket.on(
    "message",
    (data, isBinary) => link.received(isBinary ? undefined : (data as Buffer).toString()),
  );
  webSocket.on("pong", () => link.ponged());
  // The library has answered with the close code that fits; the close follows.
  webSocket.on("error", () => {});
  webSocket.on("close", () => links.closed(link));
}

function socketOf({ webSocket, socket }: Opened): Socket {
  return {
    send(text) {
      webSocket.send(text, () => {});
      return socket.writableNeedDrain ? drained(socket) : undefined;
    },
    close: (code, reason) => webSocket.close(code, reason),
    terminate: () => socket.destroy(),
    ping: () => webSocket.ping(),
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
  };
}

function drained(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off("drain", done);
      socket.off("close", done);
      resolve();
    };
    socket.once("drain", done);
    socket.once("close", done);
  });
}
