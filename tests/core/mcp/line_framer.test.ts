import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LineFramer } from "../../../src/core/mcp/line_framer.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A framer whose reports are kept in order. */
function framerOf(maxBytes: number) {
  const reports: [string, string][] = [];
  const framer = new LineFramer(maxBytes, {
    line: (text) => reports.push(["line", text]),
    undecodable: (sample) => reports.push(["undecodable", sample]),
    overflow: (head) => reports.push(["overflow", head]),
    dropped: (tail) => reports.push(["dropped", tail]),
  });
  return { framer, reports };
}

describe("LineFramer", () => {
  test("push() gives each line of one chunk, without LF or CRLF", () => {
    const { framer, reports } = framerOf(100);
    framer.push(bytes("one\ntwo\r\n\nthree\n"));
    assert.deepEqual(reports, [["line", "one"], ["line", "two"], ["line", ""], ["line", "three"]]);
  });

  test("push() gives the same lines however the bytes are cut", () => {
    const text = '{"text":"é … 𝄞"}\r\nshort\n{"n":1}\n';
    const whole = framerOf(1000);
    whole.framer.push(bytes(text));
    for (let size = 1; size <= 9; size++) {
      const { framer, reports } = framerOf(1000);
      const all = bytes(text);
      for (let at = 0; at < all.length; at += size) framer.push(all.subarray(at, at + size));
      assert.deepEqual(reports, whole.reports, `chunks of ${size}`);
    }
  });

  test("a chunk may be used again by its owner after push()", () => {
    const { framer, reports } = framerOf(100);
    const chunk = bytes("begin");
    framer.push(chunk);
    chunk.fill(0);
    framer.push(bytes(" end\n"));
    assert.deepEqual(reports, [["line", "begin end"]]);
  });

  test("a line of exactly the limit passes, one byte more is dropped", () => {
    for (const cut of [1, 4, 9, 10]) {
      const { framer, reports } = framerOf(10);
      for (const line of ["0123456789\n", "0123456789A\n", "next\n"]) {
        framer.push(bytes(line.slice(0, cut)));
        framer.push(bytes(line.slice(cut)));
      }
      assert.deepEqual(reports, [
        ["line", "0123456789"],
        ["overflow", "0123456789A"],
        ["dropped", "0123456789A"],
        ["line", "next"],
      ], `cut at ${cut}`);
    }
  });

  test("an over-long line is reported before its end, with its beginning and later with its end", () => {
    const { framer, reports } = framerOf(3000);
    framer.push(bytes("<" + "a".repeat(5000)));
    assert.deepEqual(reports.map(([report]) => report), ["overflow"]);
    for (let chunk = 0; chunk < 1000; chunk++) framer.push(bytes("b".repeat(5000)));
    framer.push(bytes("c>\nnext\n"));
    assert.deepEqual(reports.map(([report]) => report), ["overflow", "dropped", "line"]);
    assert.match(reports[0]?.[1] ?? "", /^<a{1023}$/);
    assert.match(reports[1]?.[1] ?? "", /^b+c>$/);
    assert.equal(reports[1]?.[1].length, 1024);
  });

  test("bytes that are not UTF-8 are reported and cost only their line", () => {
    const { framer, reports } = framerOf(100);
    framer.push(Uint8Array.of(97, 0xff, 98, 10));
    framer.push(bytes("fine\n"));
    assert.deepEqual(reports, [["undecodable", "a\ufffdb"], ["line", "fine"]]);
  });

  test("end() gives what stands behind the last line feed, once", () => {
    const { framer, reports } = framerOf(100);
    framer.push(bytes("done\nlast"));
    framer.end();
    framer.end();
    assert.deepEqual(reports, [["line", "done"], ["line", "last"]]);
  });

  test("the work for a line does not grow with the number of its chunks", () => {
    const size = 1_000_000;
    const { framer, reports } = framerOf(size);
    for (let at = 0; at < size; at++) framer.push(Uint8Array.of(120));
    framer.push(bytes("\n"));
    assert.equal(reports[0]?.[1].length, size);
  });
});
