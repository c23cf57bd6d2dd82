/**
 * Deadlines of the connections of a TLS listener. The runtimes watch only servers that listen themselves;
 * ours gets its connections handed over (platform.md 2).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Cancel, Clock } from "../../ports/clock.ts";
import { HEADERS_MS, KEEP_ALIVE_MS, REQUEST_MS } from "../node/message_server.ts";

const HANDSHAKE_MS = 10_000;
const SWEEP_MS = 1000;
/** Open at once, handshakes included, where nobody says otherwise; further ones are closed when they come. */
export const MAX_CONNECTIONS = 256;

interface Connection {
  socket: Socket;
  /** When it is ended, unless something happens; undefined while it is being answered. */
  deadline: number | undefined;
  /** Requests being answered. */
  answering: number;
  /** Requests whose body is not here yet. */
  reading: number;
}

export class Connections {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #open = new Map<string, Connection>();
  readonly #endSweep: Cancel;
  readonly #drained = Promise.withResolvers<void>();
  #closing = false;

  constructor(clock: Clock, max: number = MAX_CONNECTIONS) {
    this.#clock = clock;
    this.#max = max;
    this.#endSweep = clock.every(SWEEP_MS, () => this.#sweep());
  }

  /** A new connection, before its handshake. */
  add(socket: Socket): void {
    const key = keyOf(socket);
    if (key === undefined || this.#closing || this.#open.size >= this.#max) {
      socket.destroy();
      return;
    }
    const deadline = this.#in(HANDSHAKE_MS);
    this.#open.set(key, { socket, deadline, answering: 0, reading: 0 });
    socket.once("close", () => this.#remove(key));
  }

  /** The handshake is done; `socket` carries the clear text. */
  secured(socket: Socket): void {
    const key = keyOf(socket);
    const connection = this.#open.get(key ?? "");
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    connection.socket = socket;
    connection.deadline = this.#in(HEADERS_MS);
  }

  /** The head of a request is here. */
  requested(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const connection = this.#open.get(keyOf(incoming.socket) ?? "");
    if (connection === undefined) return;
    connection.answering++;
    connection.deadline = undefined;
    if (hasBody(incoming)) this.#awaitBody(connection, incoming);
    outgoing.once("close", () => {
      connection.answering--;
      this.#rest(connection);
    });
  }

  /** It is no HTTP connection any more: it ends when both sides are done with it. */
  upgraded(socket: Socket): void {
    const connection = this.#open.get(keyOf(socket) ?? "");
    if (connection === undefined) return;
    connection.answering++;
    connection.deadline = undefined;
  }

  /** Ends idle connections now and the others when they are answered; resolves when none is left. */
  close(): Promise<void> {
    this.#closing = true;
    for (const connection of this.#open.values()) {
      if (connection.answering === 0) end(connection.socket);
    }
    this.#checkDrained();
    return this.#drained.promise;
  }

  abort(): void {
    for (const { socket } of this.#open.values()) socket.destroy();
  }

  #awaitBody(connection: Connection, incoming: IncomingMessage): void {
    let waiting = true;
    connection.reading++;
    connection.deadline = this.#in(REQUEST_MS);
    const arrived = () => {
      if (!waiting) return;
      waiting = false;
      connection.reading--;
      this.#rest(connection);
    };
    incoming.once("end", arrived);
    incoming.once("close", arrived);
  }

  /** Sets the deadline that holds while nothing is being done for a connection. */
  #rest(connection: Connection): void {
    if (connection.reading > 0) return;
    connection.deadline = connection.answering > 0 ? undefined : this.#in(KEEP_ALIVE_MS);
    if (this.#closing && connection.answering === 0) end(connection.socket);
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    for (const [key, { socket, deadline }] of this.#open) {
      if (socket.destroyed) this.#remove(key);
      else if (deadline !== undefined && deadline <= now) socket.destroy();
    }
  }

  #remove(key: string): void {
    this.#open.delete(key);
    this.#checkDrained();
  }

  #checkDrained(): void {
    if (!this.#closing || this.#open.size > 0) return;
    this.#endSweep();
    this.#drained.resolve();
  }

  #in(ms: number): number {
    return this.#clock.monotonic() + ms;
  }
}

/** The same for a connection before and after its handshake; undefined when it has already gone. */
function keyOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remotePort === undefined ? undefined : `${remoteAddress} ${remotePort}`;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** Sends what is still to be sent, then closes whether or not the other side does. */
function end(socket: Socket): void {
  socket.end(() => socket.destroy());
}
