import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hashText } from "../../../src/core/catalog/hash.ts";

const MANY = 50_000;

function distinct(textOf: (at: number) => string, part: (hash: string) => string): number {
  return new Set(Array.from({ length: MANY }, (_, at) => part(hashText(textOf(at))))).size;
}

describe("hashText()", () => {
  it("gives 16 hexadecimal digits, the same for the same text", () => {
    for (const text of ["", "a", "ü😀", "\u0000", "x".repeat(100_000)]) {
      assert.match(hashText(text), /^[0-9a-f]{16}$/);
      assert.equal(hashText(text), hashText(`${text}`));
    }
  });

  it("does not change between releases, because names are made of it", () => {
    assert.equal(hashText("mcp-sentinel"), "397d9fab4f4055f7");
  });

  it("differs for texts that are nearly the same", () => {
    const long = "x".repeat(200);
    assert.equal(distinct((at) => `${long}${at}`, (hash) => hash), MANY);
    assert.equal(distinct((at) => `${at}${long}`, (hash) => hash), MANY);
    assert.equal(distinct((at) => "\u0000".repeat(at % 500) + at, (hash) => hash), MANY);
    assert.notEqual(hashText("ab,c"), hashText("a,bc"));
  });

  it("spreads as well in the half that shortens names", () => {
    const half = (hash: string) => hash.slice(0, 8);
    // Of 50,000 random words of 32 bits about 0.3 pairs are equal.
    assert.ok(distinct((at) => `tool_${at}`, half) >= MANY - 5);
    assert.ok(distinct((at) => `tool_${at}`, (hash) => hash.slice(8)) >= MANY - 5);
  });
});
