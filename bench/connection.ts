import type { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { BenchError } from "./errors.ts";
import { type HttpReply, ReplyReader } from "./reply_reader.ts";

interface Waiter {
  resolve(reply: HttpReply): void;
  reject(error: Error): void;
}

/**
 * One keep-alive HTTP/1.1 connection with one request under way, on a raw socket: an HTTP client would
 * cost the generator as much as the proxies it measures.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #reader = new ReplyReader();
  #waiter: Waiter | undefined;
  #broken: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new BenchError("Cannot read reply: connection closed")));
  }

  /** Connects; rejects when the target does not accept. */
  static open(url: URL): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new Connection(socket));
      });
    });
  }

  /** Sends one ASCII request; rejects when the connection ends, which is up to the caller to bound. */
  exchange(request: string): Promise<HttpReply> {
    return new Promise((resolve, reject) => {
      if (this.#broken) return reject(this.#broken);
      this.#waiter = { resolve, reject };
      this.#socket.write(request, "latin1");
    });
  }

  /** Ends it at once; an exchange under way rejects with `reason`. */
  close(reason?: Error): void {
    this.#socket.destroy(reason);
  }

  #read(chunk: Buffer): void {
    try {
      const reply = this.#reader.push(chunk);
      if (!reply) return;
      const waiter = this.#waiter;
      this.#waiter = undefined;
      waiter?.resolve(reply);
    } catch (error) {
      this.#socket.destroy(error instanceof Error ? error : new BenchError(String(error)));
    }
  }

  #fail(error: Error): void {
    this.#broken ??= error;
    this.#waiter?.reject(this.#broken);
    this.#waiter = undefined;
  }
}
