/** The standing stream of a session of its own, and how it ended. */
import { connect, type Socket } from "node:net";
import { Connection } from "../../bench/connection.ts";
import { Session } from "../../bench/session.ts";

/** Kept of what came last. */
const TAIL = 200;
/** When to come back, then the end that HTTP gives a stream. */
const LAST_EVENT = /retry: \d+\n\n\r\n0\r\n\r\n$/;

export class StandingStream {
  readonly #socket: Socket;
  #tail = "";

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#tail = (this.#tail + chunk.toString("latin1")).slice(-TAIL));
    // How it ended is told by what came before.
    socket.on("error", () => {});
  }

  /** Opens a session and its stream; resolves with the head of the answer. */
  static async open(url: URL): Promise<StandingStream> {
    const connection = await Connection.open(url);
    const session = await Session.open(url, connection);
    connection.close();
    const socket = connect({ host: url.hostname, port: Number(url.port) });
    const stream = new StandingStream(socket);
    const head = new Promise((resolve) => socket.once("data", resolve));
    socket.on("connect", () => socket.write(session.bare("GET")));
    await head;
    return stream;
  }

  /** Its client was told when to come back, and nothing was cut off. */
  get endedInOrder(): boolean {
    return LAST_EVENT.test(this.#tail);
  }

  close(): void {
    this.#socket.destroy();
  }
}
