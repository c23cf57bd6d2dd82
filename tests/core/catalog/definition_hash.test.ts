import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { definitionDiff } from "../../../src/core/catalog/definition_diff.ts";
import { canonicalJson, definitionHash } from "../../../src/core/catalog/definition_hash.ts";
import { type JsonObject, parseExact } from "../../../src/core/mcp/json.ts";
import { systemDigest } from "../../../src/hosts/digest.ts";

const exact = (text: string) => parseExact(text) as JsonObject;

describe("the hash of a definition", () => {
  it("is over RFC 8785: sorted by code units, no spaces, shortest escapes and numbers", () => {
    // The sample of RFC 8785, 3.2.2 and 3.2.3, without its numbers.
    const text = canonicalJson(JSON.parse(
      `{"string":"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}`,
    ));
    assert.equal(
      text,
      `{"literals":[null,true,false],"string":"€$\\u000f\\nA'B\\"\\\\\\\\\\"/"}`,
    );
    const keys =
      `{"\\u20ac":1,"\\r":2,"\\ufb33":3,"1":4,"\\ud83d\\ude00":5,"\\u0080":6,"\\u00f6":7}`;
    assert.deepEqual(
      [...canonicalJson(JSON.parse(keys)).matchAll(/:(\d)/g)].map(([, number]) => Number(number)),
      [2, 4, 6, 7, 1, 5, 3],
    );
    assert.equal(canonicalJson([1e21, 1e-7, 4.5, 0.002, -0]), "[1e+21,1e-7,4.5,0.002,0]");
  });

  it("keeps numbers that a double cannot hold, and only those, as they were written", () => {
    assert.equal(canonicalJson(exact('{"a":12345678901234567890}')), '{"a":12345678901234567890}');
    const wide = '{"a":1e999,"b":0.1234567890123456789}';
    assert.equal(canonicalJson(exact(wide)), wide);
    const written = '{"a":1.0,"b":1e2,"c":0.50,"d":-0.0,"e":100e-2,"f":0E5}';
    assert.equal(canonicalJson(exact(written)), canonicalJson(JSON.parse(written)));
  });

  it("takes long numbers in linear time", () => {
    const numberOf = (zeros: number) => exact(`{"a":1${"0".repeat(zeros)}1e-5}`);
    const [short, long] = [numberOf(20_000), numberOf(160_000)];
    const growth = leastTime(() => canonicalJson(long)) / leastTime(() => canonicalJson(short));
    assert.ok(growth < 32, `8 times the digits take ${growth} times as long`);
  });

  it("differs for what differs, and is taken once for each object", () => {
    let taken = 0;
    const digest = { sha256: (text: string) => (taken++, systemDigest.sha256(text)) };
    const one = { name: "a", inputSchema: {} };
    assert.equal(definitionHash(one, digest), definitionHash(one, digest));
    assert.equal(taken, 1);
    assert.equal(
      definitionHash({ inputSchema: {}, name: "a" }, digest),
      definitionHash(one, digest),
    );
    assert.notEqual(definitionHash({ ...one, name: "b" }, digest), definitionHash(one, digest));
  });
});

function leastTime(work: () => unknown): number {
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return Math.min(...times);
}

describe("the difference of two definitions", () => {
  it("says where, with a short text around the first difference", () => {
    const long = "word ".repeat(100);
    const { changes, more } = definitionDiff(
      { a: [1, 2], gone: true, text: `${long}before`, "odd key": 1 },
      { a: [1, 3, 4], text: `${long}after`, "odd key": 2 },
    );
    assert.equal(more, 0);
    assert.deepEqual(changes.slice(0, 3), [
      { path: "$.a[1]", change: "changed", before: "2", after: "3" },
      { path: "$.a[2]", change: "added", after: "4" },
      { path: "$.gone", change: "removed", before: "true" },
    ]);
    assert.equal(changes[3]?.path, '$["odd key"]');
    assert.match(changes[4]?.before ?? "", /^….{24}before"$/);
    assert.match(changes[4]?.after ?? "", /^….{24}after"$/);
  });

  it("shows what a screen hides, and is bounded", () => {
    const [change] = definitionDiff({ a: "x" }, { a: "x\u202e" }).changes;
    assert.equal(change?.after, '"x\\u202e"');
    const members = (value: number) =>
      Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`m${index}`, value]));
    const { changes, more } = definitionDiff(members(1), members(2));
    assert.deepEqual([changes.length, more], [20, 80]);
    const [big] = definitionDiff({}, { a: "y".repeat(60_000) }).changes;
    assert.ok((big?.after?.length ?? 0) <= 120);
  });
});
