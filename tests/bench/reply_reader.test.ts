import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { headerValue, type HttpReply, ReplyReader } from "../../bench/reply_reader.ts";

const SIZED = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nMcp-Session-Id: AbC\r\n\r\nhello";
const CHUNKED = "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n" +
  "3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n";

/** What the reader makes of a text that comes one byte at a time. */
function byteByByte(text: string): (HttpReply | undefined)[] {
  const reader = new ReplyReader();
  return Array.from(Buffer.from(text), (byte) => reader.push(Buffer.of(byte)));
}

describe("ReplyReader", () => {
  it("gives a sized reply with its last byte and not before", () => {
    const seen = byteByByte(SIZED);
    assert.equal(seen.at(-1)?.body, "hello");
    assert.ok(seen.slice(0, -1).every((reply) => reply === undefined));
  });

  it("joins the chunks of a chunked reply", () => {
    const reply = byteByByte(CHUNKED).at(-1);
    assert.equal(reply?.status, 404);
    assert.equal(reply?.body, "abc0123456789");
  });

  it("gives a reply without body at the end of its head", () => {
    const reply = byteByByte("HTTP/1.1 202 Accepted\r\n\r\n").at(-1);
    assert.equal(reply?.status, 202);
    assert.equal(reply?.body, "");
  });

  it("reads the next reply after one that is complete", () => {
    const reader = new ReplyReader();
    reader.push(Buffer.from(SIZED));
    assert.equal(reader.push(Buffer.from(CHUNKED))?.status, 404);
  });

  it("refuses bytes that nobody asked for", () => {
    const reader = new ReplyReader();
    assert.throws(() => reader.push(Buffer.from(SIZED + SIZED)), /more bytes than one reply/);
  });
});

describe("headerValue()", () => {
  it("finds a header in any case and keeps the case of its value", () => {
    const head = "HTTP/1.1 200 OK\r\nMCP-Session-ID: AbC \r\nX: y";
    assert.equal(headerValue(head, "mcp-session-id"), "AbC");
    assert.equal(headerValue(head, "x"), "y");
    assert.equal(headerValue(head, "absent"), undefined);
  });
});
