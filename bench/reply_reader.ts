import { Buffer } from "node:buffer";
import { BenchError } from "./errors.ts";

/** One HTTP/1.1 reply; `head` is status line and headers as they were sent. */
export interface HttpReply {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

const HEAD_END = "\r\n\r\n";

/** Cuts HTTP/1.1 replies out of what a socket delivers, for a client that never pipelines. */
export class ReplyReader {
  #bytes: Buffer = Buffer.alloc(0);

  /**
   * Adds a chunk; returns the reply it completes.
   * @throws BenchError when bytes follow a complete reply, as nobody asked for them.
   */
  push(chunk: Buffer): HttpReply | undefined {
    const bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    const cut = cutReply(bytes);
    if (!cut) {
      this.#bytes = bytes;
      return undefined;
    }
    if (cut.end < bytes.length) {
      throw new BenchError("Cannot read reply: more bytes than one reply");
    }
    this.#bytes = Buffer.alloc(0);
    return cut.reply;
  }
}

interface Cut {
  readonly reply: HttpReply;
  readonly end: number;
}

function cutReply(bytes: Buffer): Cut | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const head = bytes.toString("latin1", 0, headEnd);
  const content = cutContent(bytes, headEnd + HEAD_END.length, head);
  return content && {
    reply: { status: Number(head.slice(9, 12)), head, body: content.body },
    end: content.end,
  };
}

interface Content {
  readonly body: string;
  readonly end: number;
}

function cutContent(bytes: Buffer, start: number, head: string): Content | undefined {
  const length = headerValue(head, "content-length");
  if (length !== undefined) {
    const end = start + Number(length);
    return bytes.length < end ? undefined : { body: bytes.toString("utf8", start, end), end };
  }
  if (headerValue(head, "transfer-encoding") === "chunked") return cutChunks(bytes, start);
  return { body: "", end: start };
}

function cutChunks(bytes: Buffer, start: number): Content | undefined {
  const parts: Buffer[] = [];
  for (let at = start;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const from = lineEnd + 2;
    const to = from + Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    if (bytes.length < to + 2) return undefined;
    if (from === to) return { body: Buffer.concat(parts).toString(), end: to + 2 };
    parts.push(bytes.subarray(from, to));
    at = to + 2;
  }
}

/** The value of a header as it was sent; `name` in lower case. */
export function headerValue(head: string, name: string): string | undefined {
  const at = head.toLowerCase().indexOf(`\r\n${name}:`);
  if (at < 0) return undefined;
  const end = head.indexOf("\r\n", at + 2);
  return head.slice(at + name.length + 3, end < 0 ? undefined : end).trim();
}
