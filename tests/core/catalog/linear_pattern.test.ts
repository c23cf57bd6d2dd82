import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isLinearPattern } from "../../../src/core/catalog/linear_pattern.ts";

const HARMLESS = [
  "^[a-z0-9]+(-[a-z0-9]+)*$",
  "^\\d{4}-\\d{2}-\\d{2}$",
  "^[A-Z]{2}[A-Z0-9]{9}[0-9]$",
  "^(foo|far)$",
  "^[^@]+@[^@]+$",
  "^[\\w.-]+$",
  "^-?\\d+(\\.\\d+)?$",
  "^https?://",
  "^.{1,100}$",
  "^\\$[a-z]+\\$$",
  "\\S",
];

const DANGEROUS = [
  "(a+)+$",
  "^(a+)+$",
  "(.*a){20}",
  "^(\\w+\\s?)*$",
  "^(a|a)*$",
  "^([a-z]*)*$",
  "[a-z]+$",
  "^a|b+$",
  "^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$",
  "^a{1,1000}a{1,1000}$",
  "(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)",
];

describe("linear patterns", () => {
  it("takes what can go on in one way only, or in few", () => {
    for (const pattern of HARMLESS) assert.equal(isLinearPattern(pattern), true, pattern);
  });

  it("refuses what grows faster than the text", () => {
    for (const pattern of DANGEROUS) assert.equal(isLinearPattern(pattern), false, pattern);
  });

  it("refuses what it does not understand, and what is no pattern", () => {
    for (const pattern of ["^(?=a)b$", "^(a)\\1$", "\\bword", "(", "[z-a]", "a".repeat(1001)]) {
      assert.equal(isLinearPattern(pattern), false, pattern);
    }
  });
});
