/** WebSocket of `Bun.serve`. */
import { type HttpHandler, type Peer, toUpgrade, type Upgrade } from "../../core/mod.ts";
import { badUpgrade } from "./refusal.ts";
import type { Socket, WebSocketLink } from "./link.ts";
import type { WebSocketLinks } from "./links.ts";

interface ServerWebSocket {
  readonly data: BunPipe;
  /** Bytes taken; -1 when they wait, 0 when the connection has gone. */
  send(text: string): number;
  close(code: number, reason: string): void;
  terminate(): void;
  ping(): void;
}

/** Given to `Bun.serve`. */
export interface BunWebSocketOptions {
  readonly idleTimeout: number;
  readonly sendPings: boolean;
  readonly perMessageDeflate: boolean;
  readonly maxPayloadLength: number;
  readonly backpressureLimit: number;
  open(socket: ServerWebSocket): void;
  message(socket: ServerWebSocket, data: string | Uint8Array): void;
  pong(socket: ServerWebSocket): void;
  drain(socket: ServerWebSocket): void;
  close(socket: ServerWebSocket): void;
}

/** What the core admitted, while it becomes a connection. */
class BunPipe implements Socket {
  readonly upgrade: Upgrade;
  link: WebSocketLink | undefined;
  readonly #drained: (() => void)[] = [];
  #socket: ServerWebSocket | undefined;

  constructor(upgrade: Upgrade) {
    this.upgrade = upgrade;
  }

  open(socket: ServerWebSocket): void {
    this.#socket = socket;
  }

  drained(): void {
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  send(text: string): void | Promise<void> {
    if (this.#socket?.send(text) !== -1) return;
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  close(code: number, reason: string): void {
    this.#socket?.close(code, reason);
  }

  readonly terminate = (): void => this.#socket?.terminate();
  readonly ping = (): void => this.#socket?.ping();
}

/** @param maxPayloadLength bytes; the exact limit is the link's, this guards far above it */
export function bunWebSocket(links: WebSocketLinks, maxPayloadLength: number): BunWebSocketOptions {
  return {
    // Ours are looked after by their links.
    idleTimeout: 0,
    sendPings: false,
    perMessageDeflate: false,
    maxPayloadLength,
    // What does not fit is dropped; the sender waits long before.
    backpressureLimit: 4 * maxPayloadLength,
    open(socket) {
      const { data } = socket;
      data.open(socket);
      data.link = links.open(data.upgrade, data);
    },
    message: ({ data }, text) => data.link?.received(typeof text === "string" ? text : undefined),
    pong: ({ data }) => data.link?.ponged(),
    drain: ({ data }) => data.drained(),
    close({ data }) {
      data.drained();
      if (data.link !== undefined) links.closed(data.link);
    },
  };
}

/** The part of Bun's server that makes the connection. */
export interface BunUpgrader {
  upgrade(request: Request, options: { data: unknown; headers: Record<string, string> }): boolean;
}

/** Undefined when the connection was taken over. */
export async function upgradeOnBun(
  handle: HttpHandler,
  server: BunUpgrader,
  { request, peer }: { readonly request: Request; readonly peer: Peer },
): Promise<Response | undefined> {
  const admitted = await toUpgrade(handle)(request, peer);
  if (admitted instanceof Response) return admitted;
  // Without a value of ours it would choose the first one that is offered.
  const headers = { "sec-websocket-protocol": admitted.protocol ?? "" };
  if (server.upgrade(request, { data: new BunPipe(admitted), headers })) return undefined;
  admitted.abandon();
  return badUpgrade();
}
