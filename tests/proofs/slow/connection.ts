/** One connection of a client that is slow in one of the ways of trust.md T14. */
import { connect, type Socket } from "node:net";
import type { Session } from "../../../bench/session.ts";

/**
 * - `silent`: says nothing.
 * - `head`, `body`: sends a byte of its request now and then.
 * - `answer`, `stream`: calls for something large and takes a little of it now and then.
 */
export const KINDS = ["silent", "head", "body", "answer", "stream"] as const;
export type Kind = (typeof KINDS)[number];

/** What readers call for. */
export interface Large {
  /** Exposed name of a tool of a scriptable backend. */
  readonly tool: string;
  /** Characters of the answer, and of each message of a stream. */
  readonly bytes: number;
  /** Between two messages of a stream, milliseconds. */
  readonly pauseMs: number;
}

/** Who asks, and what for. */
export interface Asker {
  readonly url: URL;
  readonly session: Session;
  readonly large: Large;
  /** Names the call in the ledgers. */
  readonly nonce: string;
}

/** More than ever comes of it. */
const BODY_BYTES = 1_000_000;
/** What a reader takes at first and then at a time: too little for the system to ask for more within a minute. */
const FIRST_BYTES = 256;
const SIP_BYTES = 16;
const KEPT = 1024;
const TOO_SLOW = /^HTTP\/1\.1 408 /;

export class SlowConnection {
  readonly kind: Kind;
  /** When it was there, of a reader: when its answer began (`performance.now`); undefined until then. */
  openedAt: number | undefined;
  /** When it was told that it is too slow. */
  toldAt: number | undefined;
  /** When the gateway had ended it. */
  closedAt: number | undefined;
  readonly #socket: Socket;
  #heard = "";

  constructor(kind: Kind, asker: Asker) {
    this.kind = kind;
    const { hostname, port } = asker.url;
    const place = { host: hostname, port: Number(port) };
    this.#socket = connect(isReader(kind) ? { ...place, onread: this.#sips() } : place);
    this.#socket.on("connect", () => {
      if (!isReader(kind)) this.openedAt = performance.now();
      this.#socket.write(beginning(kind, asker));
    });
    if (!isReader(kind)) this.#socket.on("data", (chunk: Uint8Array) => this.#hear(chunk));
    // How it ended is all the same.
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => this.ended());
  }

  /** What came first, or as much of it as a reader has taken. */
  get heard(): string {
    return this.#heard;
  }

  /** Its end of the connection; undefined until it is there. */
  get port(): number | undefined {
    return this.#socket.localPort;
  }

  /** Sends or takes the next little. */
  goOn(): void {
    if (this.openedAt === undefined || this.closedAt !== undefined) return;
    if (isReader(this.kind)) this.#socket.resume();
    else if (this.kind !== "silent") this.#socket.write("a");
  }

  /** The gateway holds it no more, whatever of it is still on its way. */
  ended(): void {
    this.closedAt ??= performance.now();
    this.#socket.destroy();
  }

  /** A socket that is only paused would still be filled from the system, 64 KiB at a time. */
  #sips() {
    return {
      buffer: () => new Uint8Array(this.#heard === "" ? FIRST_BYTES : SIP_BYTES),
      callback: (length: number, buffer: Uint8Array) => {
        this.#hear(buffer.subarray(0, length));
        return false;
      },
    };
  }

  #hear(bytes: Uint8Array): void {
    this.openedAt ??= performance.now();
    if (this.#heard.length >= KEPT) return;
    this.#heard += new TextDecoder("latin1").decode(bytes);
    if (TOO_SLOW.test(this.#heard)) this.toldAt ??= performance.now();
  }
}

export function isReader(kind: Kind): boolean {
  return kind === "answer" || kind === "stream";
}

function beginning(kind: Kind, { session, large, nonce }: Asker): string {
  switch (kind) {
    case "silent":
      return "";
    case "head":
      return `${headOf(session)}x-slow: `;
    case "body":
      return `${headOf(session)}content-length: ${BODY_BYTES}\r\n\r\n{`;
    case "answer":
    case "stream": {
      const { tool, bytes, pauseMs } = large;
      const act = kind === "answer" ? { do: kind } : { do: kind, ms: pauseMs };
      const params = {
        name: tool,
        arguments: { nonce, bytes, ...act },
        _meta: { progressToken: nonce },
      };
      return session.request(
        JSON.stringify({ jsonrpc: "2.0", id: nonce, method: "tools/call", params }),
      );
    }
  }
}

/** The head of a request of the session, without what says how long its body is. */
function headOf(session: Session): string {
  const request = session.request("");
  return request.slice(0, request.indexOf("content-length"));
}
