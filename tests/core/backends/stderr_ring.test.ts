import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { StderrRing } from "../../../src/core/backends/stderr_ring.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const unmasked = (text: string) => text;

describe("StderrRing", () => {
  test("tail() gives the last lines, oldest first, the unfinished one included", () => {
    const ring = new StderrRing(unmasked);
    ring.push(bytes("one\ntwo\r\nthr"));
    ring.push(bytes("ee"));
    assert.deepEqual(ring.tail(2), ["two", "three"]);
    assert.deepEqual(ring.tail(10), ["one", "two", "three"]);
    assert.deepEqual(ring.tail(0), []);
    assert.equal(ring.lines, 3);
  });

  test("tail() gives nothing before anything was written", () => {
    assert.deepEqual(new StderrRing(unmasked).tail(10), []);
  });

  test("tail() shows at most 200 lines and counts them all", () => {
    const ring = new StderrRing(unmasked);
    for (let line = 0; line < 1000; line++) ring.push(bytes(`line ${line}\n`));
    const tail = ring.tail(1000);
    assert.equal(tail.length, 200);
    assert.equal(tail[0], "line 800");
    assert.equal(ring.lines, 1000);
  });

  test("tail() is whole lines after far more than the ring holds, in chunks of any size", () => {
    for (const size of [1, 1000, 65_537, 300_000]) {
      const ring = new StderrRing(unmasked);
      const text = Array.from({ length: 40_000 }, (_, line) => `line ${line} …\n`).join("");
      const all = bytes(text);
      for (let at = 0; at < all.length; at += size) ring.push(all.subarray(at, at + size));
      const tail = ring.tail(200);
      assert.deepEqual(tail, Array.from({ length: 200 }, (_, line) => `line ${39_800 + line} …`));
      assert.equal(ring.lines, 40_000);
    }
  });

  test("tail() cuts a line and never shows the end of a secret whose beginning is lost", () => {
    const secret = "s3cr3t-".repeat(50);
    const ring = new StderrRing((text) => text.replaceAll(secret, "«secret»"));
    ring.push(bytes(`${secret}${"x".repeat(256_000 - 100)}`));
    assert.equal(ring.tail(1).length, 1);
    assert.doesNotMatch(ring.tail(1).join(""), /s3cr3t/);
    ring.push(bytes(`\n${"y".repeat(5000)}`));
    assert.deepEqual(ring.tail(1), ["y".repeat(2000)]);
  });

  test("tail() masks secrets, also across chunks and lines", () => {
    const ring = new StderrRing((text) => text.replaceAll("to\nken", "«secret»"));
    ring.push(bytes("key to"));
    ring.push(bytes("\nken end\n"));
    assert.deepEqual(ring.tail(5), ["key «secret» end"]);
  });

  test("tail() escapes what a terminal would act upon", () => {
    const ring = new StderrRing(unmasked);
    ring.push(bytes("\u001b]0;title\u0007 a\tb \u009b31m \u202e \u2028\n"));
    assert.deepEqual(ring.tail(1), [
      "\\u001b]0;title\\u0007 a\\u0009b \\u009b31m \\u202e \\u2028",
    ]);
  });

  test("end() puts the next process on a line of its own", () => {
    const ring = new StderrRing(unmasked);
    ring.push(bytes("first died"));
    ring.end();
    ring.end();
    ring.push(bytes("second lives\n"));
    assert.deepEqual(ring.tail(5), ["first died", "second lives"]);
    assert.equal(ring.lines, 2);
  });
});
