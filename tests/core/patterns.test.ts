import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compilePatterns, mayMatchPrefix } from "../../src/core/patterns.ts";

const NAMES = ["a/b", ".x", "A.b-c_d", "x".repeat(128), "line\nbreak", "", "__proto__", "*", "ü😀"];

/** The definition of matching, written without regard to speed. */
function expected(pattern: string, name: string): boolean {
  if (pattern === "") return name === "";
  const rest = pattern.slice(1);
  if (pattern[0] !== "*") return name[0] === pattern[0] && expected(rest, name.slice(1));
  return expected(rest, name) || (name !== "" && expected(pattern, name.slice(1)));
}

function words(alphabet: readonly string[], longest: number): string[] {
  let words = [""];
  const all = [...words];
  for (let length = 1; length <= longest; length++) {
    words = words.flatMap((word) => alphabet.map((letter) => word + letter));
    all.push(...words);
  }
  return all;
}

describe("compilePatterns()", () => {
  it("matches every name with a lone star, whatever characters it has", () => {
    const matches = compilePatterns(["*"]);
    for (const name of NAMES) assert.ok(matches(name), JSON.stringify(name));
  });

  it("matches nothing without patterns", () => {
    for (const name of NAMES) assert.equal(compilePatterns([])(name), false);
  });

  it("takes characters of other pattern languages literally", () => {
    const matches = compilePatterns(["a.c", "[ab]", "x?", "{a,b}", "!no", "(a+)+$", "\\d"]);
    for (const name of ["a.c", "[ab]", "x?", "{a,b}", "!no", "(a+)+$", "\\d"]) {
      assert.ok(matches(name), name);
    }
    for (const name of ["abc", "a", "xy", "yes", "aaa", "1"]) {
      assert.equal(matches(name), false, name);
    }
  });

  it("matches the whole name and respects case", () => {
    const matches = compilePatterns(["delete_*"]);
    assert.ok(matches("delete_"));
    assert.ok(matches("delete_all"));
    assert.equal(matches("un_delete_all"), false);
    assert.equal(matches("Delete_all"), false);
  });

  it("does not let two parts of a pattern share characters", () => {
    assert.equal(compilePatterns(["ab*ba"])("aba"), false);
    assert.ok(compilePatterns(["ab*ba"])("abba"));
    assert.equal(compilePatterns(["a*a"])("a"), false);
    assert.equal(compilePatterns(["*ab*ab*"])("xabx"), false);
    assert.ok(compilePatterns(["*ab*ab*"])("xabab"));
  });

  it("matches when any of several patterns does", () => {
    const matches = compilePatterns(["read_*", "*_list", "exact"]);
    for (const name of ["read_x", "x_list", "exact"]) assert.ok(matches(name), name);
    assert.equal(matches("exactly"), false);
  });

  it("agrees with the definition for all short patterns and names", () => {
    let matched = 0;
    for (const pattern of words(["a", "b", "*"], 4)) {
      const matches = compilePatterns([pattern]);
      for (const name of words(["a", "b"], 5)) {
        assert.equal(matches(name), expected(pattern, name), `${pattern} and ${name}`);
        if (matches(name)) matched++;
      }
    }
    assert.ok(matched > 500);
  });

  it("looks at a name once, however many stars ask for a second try", () => {
    const pattern = `${"*a".repeat(2000)}*b`;
    assert.equal(compilePatterns([pattern])("a".repeat(200_000)), false);
    assert.equal(compilePatterns([pattern])(`${"a".repeat(200_000)}b`), true);
  });
});

describe("mayMatchPrefix()", () => {
  it("is true exactly when some name with the prefix matches", () => {
    const names = words(["a", "b"], 6);
    for (const pattern of words(["a", "b", "*"], 3)) {
      const matches = compilePatterns([pattern]);
      for (const prefix of words(["a", "b"], 3)) {
        const some = names.some((name) => name.startsWith(prefix) && matches(name));
        assert.equal(mayMatchPrefix([pattern], prefix), some, `${pattern} and ${prefix}`);
      }
    }
  });

  it("is false without patterns", () => {
    assert.equal(mayMatchPrefix([], "a"), false);
  });
});
