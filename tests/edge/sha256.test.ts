import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { systemDigest } from "../../src/hosts/digest.ts";
import { sha256 } from "../../src/hosts/edge/sha256.ts";

describe("sha256()", () => {
  it("is the digest of the runtime for every length around a block, and for every script", () => {
    const texts = Array.from({ length: 200 }, (_, length) => "a".repeat(length));
    for (const text of [...texts, "é€😀\ud800", "\0", "x".repeat(100_000)]) {
      assert.equal(sha256(text), systemDigest.sha256(text), text.slice(0, 80));
    }
  });
});
