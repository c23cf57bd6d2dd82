import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileTemplate } from "../../../src/core/catalog/template.ts";

/** Template, URIs it matches, URIs it does not. */
const MATCHES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["a:b", ["a:b"], ["a:", "a:bc", "xa:b", ""]],
  ["db://{table}", ["db://users", "db://", "db://ü%20"], ["db://a/b", "db:/users", "xdb://a"]],
  ["db://{t}/rows/{id}", ["db://u/rows/1"], ["db://u/rows", "db://u/rows/1/2", "db://u/x/rows/1"]],
  ["file://{+path}", ["file:///a/b/c", "file://"], ["file:/a"]],
  ["file:///{path*}", ["file:///a/b/c"], ["file://a"]],
  ["{+any}", ["", "a:b/c"], []],
  ["a:{x}-{y}.txt", ["a:1-2.txt", "a:1-2-3.txt", "a:-.txt"], ["a:1.txt", "a:1-2", "a:1/2-3.txt"]],
  ["a:{x}{y}", ["a:12"], ["a:1/2"]],
  ["a:{x}{+y}", ["a:1/2"], ["b:1"]],
  ["a:{x,y}", ["a:1,2"], ["a:1/2"]],
  ["a:{x:3}/b", ["a:123/b"], ["a:123"]],
  ["a{/b}", ["a/1"], ["a", "a/1/2"]],
  ["a{/b,c}", ["a/1/2"], ["a"]],
  ["a{.ext}", ["a.txt"], ["atxt"]],
  ["a{;x}", ["a;x=1"], ["ax"]],
  ["a{#part}", ["a#x/y"], ["a"]],
  ["s:/{q}{?page,size}", ["s:/x", "s:/x?page=1/2", "s:/x?"], ["s:/x/y", "s:/x/y?page=1"]],
  ["s:x?fixed=1{&more}", ["s:x?fixed=1", "s:x?fixed=1&more=2"], ["s:x"]],
  ["{+p}/tail", ["a/b/tail", "/tail"], ["tail", "a/b/tail/"]],
  ["{a}aba{b}aba", ["abaaba", "xabaxaba"], ["aba", "ababa"]],
];

describe("compileTemplate()", () => {
  for (const [template, yes, no] of MATCHES) {
    it(`matches what ${template} can produce, and nothing else`, () => {
      const compiled = compileTemplate(template);
      for (const uri of yes) assert.equal(compiled?.matches(uri), true, uri);
      for (const uri of no) assert.equal(compiled?.matches(uri), false, uri);
    });
  }

  it("refuses braces that do not belong together", () => {
    for (const template of ["{", "}", "a{b", "a}b", "{}", "{a{b}}", "{a}}", "a{b}c}", "{a}{"]) {
      assert.equal(compileTemplate(template), undefined, template);
    }
  });

  it("counts literal characters, so that the more specific can go first", () => {
    const literals = (template: string) => compileTemplate(template)?.literals ?? Number.NaN;
    assert.ok(literals("db://users/{id}") > literals("db://{table}/{id}"));
    assert.ok(literals("db://{table}/{id}") > literals("{+any}"));
  });

  it("finds every narrow match that trying all divisions finds", () => {
    const literals = ["", "a", "b", "/", "ab", "ba", "aa", "a/", "/a"];
    const triples = literals.flatMap((first) =>
      literals.slice(1).flatMap((middle) => literals.map((last) => [first, middle, last] as const))
    );
    const uris = textsOf(["a", "b", "/"], 5);
    let matched = 0;
    for (const [first, middle, last] of triples) {
      const template = `${first}{x}${middle}{y}${last}`;
      const compiled = compileTemplate(template);
      for (const uri of uris) {
        const expected = divides(uri, first, middle, last);
        assert.equal(compiled?.matches(uri), expected, `${template} ${uri}`);
        if (expected) matched++;
      }
    }
    assert.ok(matched > 1000);
  });

  it("does not try again and again on hostile texts", () => {
    const template = compileTemplate(`${"{+x}a{y}".repeat(4000)}b`);
    const narrow = compileTemplate(`${"{x}a".repeat(4000)}b`);
    const uri = "a/".repeat(100_000);
    for (let round = 0; round < 20; round++) {
      assert.equal(template?.matches(`${uri}c`), false);
      assert.equal(narrow?.matches(`${"a".repeat(200_000)}c`), false);
      assert.equal(template?.matches(`${uri}b`), true);
    }
  });
});

/** All texts over an alphabet, up to a length. */
function textsOf(alphabet: readonly string[], longest: number): string[] {
  if (longest === 0) return [""];
  const shorter = textsOf(alphabet, longest - 1);
  return ["", ...shorter.flatMap((text) => alphabet.map((char) => text + char))];
}

/** Whether some division of the URI fits, by trying all. */
function divides(uri: string, first: string, middle: string, last: string): boolean {
  if (!uri.startsWith(first) || !uri.endsWith(last)) return false;
  if (uri.length < first.length + last.length) return false;
  const inner = uri.slice(first.length, uri.length - last.length);
  for (let at = 0; at + middle.length <= inner.length; at++) {
    if (!inner.startsWith(middle, at)) continue;
    const values = inner.slice(0, at) + inner.slice(at + middle.length);
    if (!values.includes("/")) return true;
  }
  return false;
}
