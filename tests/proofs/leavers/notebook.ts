/** What the backends of the proof of leavers have noted: those of this process, and children over a socket. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { RowB } from "../../support/faults/ledgers.ts";
import type { Note } from "./calls.ts";

/** Times are those of `performance.now` in this process. */
export interface Noted {
  readonly calledAt: number;
  /** When the backend was told that nobody wants the answer. */
  readonly cancelledAt?: number;
  readonly answeredAt?: number;
}

export class Notebook implements AsyncDisposable {
  /** Ledger B. */
  readonly ledger: RowB[] = [];
  readonly #noted = new Map<string, Noted>();
  readonly #waiting = new Map<string, () => void>();
  readonly #server: Server;
  readonly #children = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Listens on a free port of loopback. */
  static async open(): Promise<Notebook> {
    const server = createServer();
    const notebook = new Notebook(server);
    server.on("connection", (socket) => notebook.#hear(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return notebook;
  }

  /** Where children tell their notes. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Calls that were noted and are not answered. */
  get open(): number {
    return [...this.#noted.values()].filter(({ answeredAt }) => answeredAt === undefined).length;
  }

  readonly take = ({ kind, nonce, tool }: Note): void => {
    const at = performance.now();
    const before = this.#noted.get(nonce) ?? { calledAt: at };
    if (kind === "called") this.ledger.push({ nonce, tool });
    if (kind === "cancelled") this.#noted.set(nonce, { ...before, cancelledAt: at });
    else if (kind === "answered") this.#noted.set(nonce, { ...before, answeredAt: at });
    else this.#noted.set(nonce, before);
    this.#waiting.get(nonce)?.();
  };

  of(nonce: string): Noted | undefined {
    return this.#noted.get(nonce);
  }

  /** Resolves when the call has come to its backend. */
  async called(nonce: string): Promise<void> {
    if (this.#noted.has(nonce)) return;
    await new Promise<void>((resolve) => this.#waiting.set(nonce, resolve));
    this.#waiting.delete(nonce);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#children) socket.destroy();
    await closed;
  }

  #hear(socket: Socket): void {
    this.#children.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#children.delete(socket));
    createInterface({ input: socket }).on("line", (line) => this.take(JSON.parse(line) as Note));
  }
}
