/** A WebSocket client that shows what is on the wire, and can behave badly. */
import { Buffer } from "node:buffer";
import { request } from "node:http";
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import type { Rpc } from "./http_session.ts";

export interface ConnectOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** PEM of the authority of an `wss:` server. */
  readonly ca?: string;
  /** False: pings stay without an answer. */
  readonly pongs?: boolean;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export class WebSocketClient {
  readonly received: Rpc[] = [];
  readonly closed: Promise<Closed>;
  pings = 0;
  readonly #socket: WebSocket;
  readonly #watchers = new Set<() => void>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    const { promise, resolve } = Promise.withResolvers<Closed>();
    this.closed = promise;
    socket.on("message", (data) => {
      this.received.push(JSON.parse(String(data)) as Rpc);
      for (const watcher of this.#watchers) watcher();
    });
    socket.on("ping", () => this.pings++);
    socket.on("error", () => {});
    socket.on("close", (code, reason) => resolve({ code, reason: String(reason) }));
  }

  /** An open connection, without handshake of MCP. @throws Error when it is refused */
  static async open(url: string, options: ConnectOptions = {}): Promise<WebSocketClient> {
    const { headers = {}, ca, pongs = true } = options;
    const tls = ca === undefined ? {} : { ca, servername: "localhost" };
    const socket = new WebSocket(url, "mcp", { headers: { ...headers }, autoPong: pongs, ...tls });
    const client = new WebSocketClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("open", () => resolve());
      socket.once("error", reject);
    });
    return client;
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  write(message: unknown): void {
    this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  writeBytes(bytes: Uint8Array): void {
    this.#socket.send(bytes);
  }

  /** The first message, past or to come, that fits. */
  when(fits: (message: Rpc) => boolean): Promise<Rpc> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.received.find(fits);
        if (found === undefined) return;
        this.#watchers.delete(look);
        resolve(found);
      };
      this.#watchers.add(look);
      look();
    });
  }

  request(id: number | string, method: string, params?: unknown): Promise<Rpc> {
    this.write({ jsonrpc: "2.0", id, method, params });
    return this.when((message) => message.id === id && message.method === undefined);
  }

  async initialize(capabilities: unknown = {}): Promise<Rpc> {
    const answer = await this.request("init", "initialize", {
      protocolVersion: "2025-11-25",
      capabilities,
      clientInfo: { name: "websocket", version: "1" },
    });
    this.write({ jsonrpc: "2.0", method: "notifications/initialized" });
    return answer;
  }

  close(): void {
    this.#socket.close();
  }

  /** Ends the connection without a word. */
  destroy(): void {
    this.#socket.terminate();
  }
}

/** A connection after the handshake, for frames that no library sends. */
export interface BareWebSocket {
  readonly socket: Socket;
  /** Everything received since. */
  readonly bytes: () => Buffer;
  readonly ended: Promise<void>;
}

export interface Handshake {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** With status 101. */
  readonly bare?: BareWebSocket;
}

/** Sends a handshake with these headers beside, or instead of, the right ones; undefined leaves one out. */
export function handshake(
  url: string,
  changed: Readonly<Record<string, string | undefined>> = {},
  method = "GET",
): Promise<Handshake> {
  const right: Readonly<Record<string, string | undefined>> = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    ...changed,
  };
  const headers = Object.fromEntries(
    Object.entries(right).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return new Promise((resolve, reject) => {
    const sent = request(url.replace("ws:", "http:"), { method, headers, agent: false });
    sent.on("error", reject);
    sent.on("upgrade", ({ statusCode = 0, headers }, socket, head) => {
      resolve({ status: statusCode, headers, body: "", bare: bareOf(socket, head) });
    });
    sent.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => body += chunk);
      response.on("end", () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body });
      });
    });
    sent.end();
  });
}

function bareOf(socket: Socket, head: Buffer): BareWebSocket {
  const chunks = [head];
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
  socket.on("error", () => {});
  socket.on("close", () => resolve());
  return { socket, bytes: () => Buffer.concat(chunks), ended };
}

/** A masked frame of at most 125 bytes. */
export function frame(opcode: number, payload: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]),
    payload,
  ]);
}

/** Code of the close frame that these bytes end with; undefined without one. */
export function closeCode(bytes: Buffer): number | undefined {
  const at = bytes.lastIndexOf(0x88);
  return at === -1 || bytes.length < at + 4 ? undefined : bytes.readUInt16BE(at + 2);
}
