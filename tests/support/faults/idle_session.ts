/** A session that says nothing, with or without its standing stream, as cheap for its client as can be. */
import { connect, type Socket } from "node:net";
import { Connection } from "../../../bench/connection.ts";
import { Session } from "../../../bench/session.ts";

/** What a client waits before it opens a stream again that has ended. */
const REOPEN_MS = 100;
const PING = `{"jsonrpc":"2.0","id":"idle","method":"ping"}`;

export interface IdleOptions {
  readonly withStream: boolean;
  /** Opens the stream again whenever it ends, as clients do; default: no. */
  readonly reopens?: boolean;
}

export class IdleSession {
  readonly #url: URL;
  readonly #session: Session;
  readonly #reopens: boolean;
  #stream: Socket | undefined;
  #isOpen = false;
  #closed = false;
  #opened = 0;
  #lastStatus = 0;

  private constructor(url: URL, session: Session, reopens: boolean) {
    this.#url = url;
    this.#session = session;
    this.#reopens = reopens;
  }

  /**
   * Shakes hands on a connection of the caller's, and waits for the head of the stream.
   * @throws BenchError when the gateway refuses
   */
  static async open(
    url: URL,
    connection: Connection,
    { withStream, reopens = false }: IdleOptions,
  ): Promise<IdleSession> {
    const idle = new IdleSession(url, await Session.open(url, connection), reopens);
    if (withStream) await idle.#openStream();
    return idle;
  }

  /** Whether the stream is there. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** How often the stream was opened. */
  get opened(): number {
    return this.#opened;
  }

  /** HTTP status of the last try to open the stream. */
  get lastStatus(): number {
    return this.#lastStatus;
  }

  /** HTTP status of a `ping` in this session, on a connection of the caller's or a new one; 0 without an answer. */
  async ping(given?: Connection): Promise<number> {
    try {
      const connection = given ?? await Connection.open(this.#url);
      const { status } = await connection.exchange(this.#session.request(PING));
      if (given === undefined) connection.close();
      return status;
    } catch {
      return 0; // the caller says what it expected
    }
  }

  /** Goes away: without a word, or with `DELETE` on a connection of the caller's. */
  async close(connection?: Connection): Promise<void> {
    this.#closed = true;
    this.#stream?.destroy();
    await connection?.exchange(this.#session.bare("DELETE"));
  }

  #openStream(): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect({ host: this.#url.hostname, port: Number(this.#url.port) });
      this.#stream = socket;
      socket.on("connect", () => socket.write(this.#session.bare("GET")));
      socket.on("data", (chunk) => {
        if (this.#isOpen) return;
        this.#lastStatus = Number(chunk.toString("latin1", 9, 12));
        this.#isOpen = this.#lastStatus === 200;
        if (this.#isOpen) this.#opened++;
        else socket.destroy();
        resolve();
      });
      // A chunked stream says its end while the connection stays.
      socket.on("data", (chunk) => {
        if (chunk.toString("latin1").endsWith("\r\n0\r\n\r\n")) socket.destroy();
      });
      socket.on("end", () => socket.destroy());
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#isOpen = false;
        resolve();
        if (this.#reopens && !this.#closed) setTimeout(() => void this.#openStream(), REOPEN_MS);
      });
    });
  }
}
