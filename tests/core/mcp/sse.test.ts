import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SentinelError } from "../../../src/contract/mod.ts";
import { sseComment, type SseEvent, sseEvent, SseReader } from "../../../src/core/mcp/sse.ts";

const encoder = new TextEncoder();

/** Reads a text that arrives in chunks of `size` bytes. */
function readAll(text: string, size = Infinity): { events: SseEvent[]; reader: SseReader } {
  const events: SseEvent[] = [];
  const reader = new SseReader((event) => void events.push(event));
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length; at += size) reader.feed(bytes.subarray(at, at + size));
  return { events, reader };
}

function dataOf(text: string, size?: number): string[] {
  return readAll(text, size).events.map(({ data }) => data);
}

describe("the event writer", () => {
  it("writes all fields of an event", () => {
    const text = sseEvent({ id: "7", event: "message", data: "{}", retry: 500 });
    assert.equal(text, "id: 7\nevent: message\nretry: 500\ndata: {}\n\n");
  });

  it("writes an event with nothing but an id", () => {
    assert.equal(sseEvent({ id: "7", data: "" }), "id: 7\ndata: \n\n");
  });

  it("gives each line of the data its own field", () => {
    const text = sseEvent({ data: "a\nb\r\nc\rd\n" });
    assert.deepEqual(dataOf(text), ["a\nb\nc\nd\n"]);
    assert.equal(text, "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n");
  });

  it("keeps data that looks like an event inside of the data", () => {
    const text = sseEvent({ data: "x\n\nevent: endpoint\ndata: /evil" });
    assert.deepEqual(readAll(text).events, [
      { id: undefined, event: undefined, data: "x\n\nevent: endpoint\ndata: /evil" },
    ]);
  });

  it("refuses line breaks and NUL in id, event and comment", () => {
    for (const bad of ["a\nb", "a\rb", "a\0b"]) {
      assert.throws(() => sseEvent({ id: bad, data: "" }), TypeError);
      assert.throws(() => sseEvent({ event: bad, data: "" }), TypeError);
      assert.throws(() => sseComment(bad), TypeError);
    }
  });

  it("refuses a retry that is no whole number", () => {
    for (const retry of [-1, 1.5, NaN, Infinity]) {
      assert.throws(() => sseEvent({ data: "", retry }), TypeError);
    }
  });

  it("writes comments that readers skip", () => {
    assert.equal(sseComment("ping"), ": ping\n\n");
    assert.deepEqual(dataOf(`${sseComment("ping")}${sseEvent({ data: "x" })}`), ["x"]);
  });
});

describe("the event reader", () => {
  const text = sseEvent({ id: "é-1", event: "message", data: "zwölf €\n😀" }) +
    "data: two\r\n\r\ndata: three\r\r";

  it("reads the same from whole text and from single bytes", () => {
    const expected = ["zwölf €\n😀", "two", "three"];
    for (const size of [Infinity, 1, 2, 3, 7]) {
      assert.deepEqual(dataOf(`${text}: end\n`, size), expected);
    }
  });

  it("gives id and type with the event", () => {
    const [first, second] = readAll(text).events;
    assert.deepEqual({ ...first }, { id: "é-1", event: "message", data: "zwölf €\n😀" });
    assert.equal(second?.id, undefined);
  });

  it("remembers the last id, also of an event without data, and the retry hint", () => {
    const { events, reader } = readAll("id: 1\ndata: x\n\nid: 2\nretry: 250\n\n");
    assert.equal(events.length, 1);
    assert.deepEqual([reader.lastEventId, reader.retryMs], ["2", 250]);
  });

  it("ignores a retry hint that is no number, and unknown fields", () => {
    const { events, reader } = readAll("retry: soon\nshoe: size\ndata: x\n\n");
    assert.deepEqual([events.length, reader.retryMs], [1, undefined]);
  });

  it("never gives an event that was cut", () => {
    assert.deepEqual(dataOf("data: whole\n\ndata: cut"), ["whole"]);
    assert.deepEqual(dataOf("data: whole\n\ndata: cut\n"), ["whole"]);
  });

  it("ignores a byte order mark at the beginning only", () => {
    assert.deepEqual(dataOf("\uFEFFdata: a\n\ndata: \uFEFFb\n\n"), ["a", "\uFEFFb"]);
  });

  it("refuses an event that is too long, in one line or in many", () => {
    for (const flood of ["x".repeat(64), "data: y\n".repeat(64)]) {
      const reader = new SseReader(() => {}, 100);
      reader.feed(encoder.encode("data: start"));
      assert.throws(() => {
        for (let turn = 0; turn < 10; turn++) reader.feed(encoder.encode(flood));
      }, isProtocolError);
    }
  });

  it("holds no bytes of an endless comment", () => {
    const reader = new SseReader(() => {}, 100);
    for (let turn = 0; turn < 100; turn++) reader.feed(encoder.encode(`: ${"x".repeat(64)}`));
  });

  it("refuses bytes that are not UTF-8, also when they are split", () => {
    for (const chunks of [[[0x64, 0xff]], [[0x64, 0xe2], [0x28, 0xa1]]]) {
      const reader = new SseReader(() => {});
      assert.throws(() => {
        for (const chunk of chunks) reader.feed(new Uint8Array(chunk));
      }, isProtocolError);
    }
  });
});

function isProtocolError(thrown: unknown): boolean {
  return thrown instanceof SentinelError && thrown.code === "BACKEND_PROTOCOL";
}
