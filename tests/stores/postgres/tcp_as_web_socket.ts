/** Lets the driver of Neon, which speaks over WebSockets, reach an ordinary PostgreSQL over TCP. */
import { connect, type Socket } from "node:net";
import { neonConfig } from "@neondatabase/serverless";

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 3;

class TcpAsWebSocket extends EventTarget {
  readyState = CONNECTING;
  binaryType = "arraybuffer";
  readonly #socket: Socket;

  constructor(url: string) {
    super();
    const { hostname, port } = new URL(url);
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.on("connect", () => {
      this.readyState = OPEN;
      this.dispatchEvent(new Event("open"));
    });
    this.#socket.on("data", (bytes) => {
      const data = Uint8Array.from(bytes).buffer;
      this.dispatchEvent(new MessageEvent("message", { data }));
    });
    this.#socket.on("error", (error) => {
      this.dispatchEvent(Object.assign(new Event("error"), { error, message: error.message }));
    });
    this.#socket.on("close", () => {
      this.readyState = CLOSED;
      this.dispatchEvent(new Event("close"));
    });
  }

  send(data: ArrayBuffer | Uint8Array): void {
    this.#socket.write(new Uint8Array(data).slice());
  }

  /** As a WebSocket, which does not wait for the other side for ever. */
  close(): void {
    this.#socket.destroySoon();
  }
}

/** For the whole process, whatever host a URL names. */
export function sendNeonTo(port: number): void {
  neonConfig.webSocketConstructor = TcpAsWebSocket as unknown as typeof WebSocket;
  neonConfig.useSecureWebSocket = false;
  neonConfig.wsProxy = () => `127.0.0.1:${port}/`;
  neonConfig.forceDisablePgSSL = true;
  neonConfig.pipelineConnect = false;
  neonConfig.pipelineTLS = false;
}

/** The same database under a name by which the gateway takes it for one of Neon. */
export function asNeonUrl(url: string): string {
  const { username, password, pathname } = new URL(url);
  return `postgres://${username}:${password}@ep-quiet-sky-1.eu-central-1.aws.neon.tech${pathname}?sslmode=require`;
}
