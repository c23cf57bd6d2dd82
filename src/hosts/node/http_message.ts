/** `node:http` messages as the core's HTTP exchange. */
import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import { bodyBroken, bodyTooLarge, type HttpIncoming, type HttpOutgoing } from "../../core/mod.ts";

export class NodeIncoming implements HttpIncoming {
  readonly method: string;
  readonly target: string;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: Writable;
  #abandon: ((error: Error) => void) | undefined;

  /** @param outgoing the answer, or the bare connection */
  constructor(incoming: IncomingMessage, outgoing: Writable) {
    const { method = "GET", url = "/" } = incoming;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.method = method;
    this.target = url.startsWith("/") ? url : targetOf(url);
  }

  header(name: string): string | undefined {
    const value = this.#incoming.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  headerBytes(): number {
    let bytes = 0;
    for (const text of this.#incoming.rawHeaders) bytes += text.length;
    return bytes;
  }

  body(maxBytes: number): Promise<Uint8Array> {
    const incoming = this.#incoming;
    if (Number(incoming.headers["content-length"] ?? 0) > maxBytes) {
      return Promise.reject(bodyTooLarge(maxBytes));
    }
    return new Promise((resolve, reject) => {
      this.#abandon = reject;
      const chunks: Buffer[] = [];
      let length = 0;
      incoming.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxBytes) {
          // What still comes is not read; the answer closes the connection.
          incoming.pause();
          reject(bodyTooLarge(maxBytes));
        } else chunks.push(chunk);
      });
      incoming.on(
        "end",
        () => resolve(chunks.length === 1 ? chunks[0] as Buffer : Buffer.concat(chunks, length)),
      );
      incoming.on("error", (cause) => reject(bodyBroken(cause)));
    });
  }

  abandon(error: Error): void {
    // What still comes is not read; the answer closes the connection.
    this.#incoming.pause();
    this.#abandon?.(error);
  }

  onGone(run: () => void): void {
    const outgoing = this.#outgoing;
    if (outgoing.destroyed) return run();
    outgoing.once("close", () => {
      if (!outgoing.writableFinished) run();
    });
  }
}

/** Path and query of a target in absolute form. */
function targetOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return start === -1 ? "/" : url.slice(start);
}

/** Sends an answer: a text in one piece with its length, a stream as its reader takes it. */
export function respond(outgoing: ServerResponse, { status, headers, body }: HttpOutgoing): void {
  if (body instanceof ReadableStream) {
    // The client has gone: nothing would tell the stream later.
    if (outgoing.destroyed) return void body.cancel().catch(() => {});
    outgoing.writeHead(status, headers);
    outgoing.flushHeaders();
    void pump(body.getReader(), outgoing);
    return;
  }
  const text = body ?? "";
  outgoing.writeHead(status, { ...headers, "content-length": Buffer.byteLength(text) });
  outgoing.end(text);
  if (outgoing.writableLength > 0) boundReading(outgoing);
}

/** Without progress for so long, or twice that, a reader is dropped, and what waits for it. */
const READ_MS = 30_000;

/** Node ends a connection whose time is over; it sets its own time for the pause after the answer. */
function boundReading({ socket }: ServerResponse, ms: number = READ_MS): void {
  socket?.setTimeout(ms);
}

async function pump(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  outgoing: ServerResponse,
): Promise<void> {
  const left = Promise.withResolvers<void>();
  outgoing.once("close", () => {
    left.resolve();
    // The client went away, or everything was sent; the stream is told in both cases.
    reader.cancel().catch(() => {});
  });
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (!outgoing.write(value)) {
      boundReading(outgoing);
      await Promise.race([drained(outgoing), left.promise]);
      boundReading(outgoing, 0);
    }
    if (outgoing.destroyed) return;
  }
  outgoing.end();
}

function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => outgoing.once("drain", resolve));
}
