import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseItems } from "../../../src/core/catalog/parse.ts";
import { parseExact } from "../../../src/core/mcp/json.ts";
import { resource, template, tool } from "./support.ts";

function reasonsFor(kind: Parameters<typeof parseItems>[0], ...items: unknown[]): string[] {
  return parseItems(kind, items, "github").refused.map(({ reason }) => reason);
}

describe("parseItems()", () => {
  it("keeps items whole, unknown members included", () => {
    const items = [tool("search", { "x-vendor": [1, { deep: null }], title: 7 }), tool("read")];
    const parsed = parseItems("tool", items, "github");
    assert.deepEqual(parsed, { items, refused: [] });
  });

  it("serves the rest when some items are no definitions", () => {
    const items = [null, 7, "tool", [tool("a")], parseExact("1.0"), {}, tool("good"), tool("")];
    const parsed = parseItems("tool", items, "github");
    assert.deepEqual(parsed.items, [tool("good")]);
    assert.deepEqual(parsed.refused.map(({ backend, kind, name }) => [backend, kind, name]), [
      ...["#1", "#2", "#3", "#4", "#5", "#6"].map((name) => ["github", "tool", name]),
      ["github", "tool", ""],
    ]);
    assert.ok(parsed.refused.every(({ reason }) => reason.length > 10));
  });

  it("refuses names that forge lines, hide or cannot be sent, for tools and prompts", () => {
    const names = ["a\r\nb", "a\u001b[2J", "a\u0000", "a\u007f", "a\u0085b", "a\u2028b", "a\ud800"];
    for (const kind of ["tool", "prompt"] as const) {
      const parsed = parseItems(kind, names.map((name) => tool(name)), "github");
      assert.deepEqual(parsed.items, []);
      assert.equal(parsed.refused.length, names.length);
      for (const { name } of parsed.refused) assert.match(name, /^[ -~…]*$/);
    }
  });

  it("takes a name of 128 characters and refuses one more", () => {
    assert.deepEqual(reasonsFor("tool", tool("x".repeat(128))), []);
    assert.deepEqual(reasonsFor("tool", tool("x".repeat(129))), [
      "its name is longer than 128 characters",
    ]);
  });

  it("refuses a tool whose schema no client can read", () => {
    const schemas = [undefined, null, 1, "object", [], true, parseExact("1e5"), { type: "array" }];
    for (const inputSchema of schemas) {
      assert.equal(reasonsFor("tool", tool("a", { inputSchema })).length, 1);
    }
    const objects = [{ properties: [] }, { properties: { a: 1 } }, { required: "a" }, {
      required: [1],
    }];
    for (const schema of objects) {
      assert.equal(reasonsFor("tool", tool("a", { inputSchema: schema })).length, 1);
      assert.equal(reasonsFor("tool", tool("a", { outputSchema: schema })).length, 1);
    }
    assert.equal(reasonsFor("tool", tool("a", { outputSchema: { type: "array" } })).length, 1);
  });

  it("takes a schema that needs only a nudge", () => {
    const schemas = [{}, { properties: null, required: null }, { properties: { a: true } }];
    for (const inputSchema of schemas) {
      assert.deepEqual(reasonsFor("tool", tool("a", { inputSchema, outputSchema: null })), []);
    }
  });

  it("refuses a definition above 64 kB, measured in bytes", () => {
    const padded = (length: number, filler: string) => {
      const bare = JSON.stringify(tool("big", { description: "" })).length;
      return tool("big", { description: filler.repeat(length - bare) });
    };
    assert.deepEqual(reasonsFor("tool", padded(64_000, "x")), []);
    assert.equal(reasonsFor("tool", padded(64_001, "x")).length, 1);
    assert.equal(reasonsFor("tool", padded(32_500, "ü")).length, 1);
    assert.equal(
      reasonsFor("tool", tool("huge", { description: "x".repeat(1_000_000) })).length,
      1,
    );
  });

  it("shows the first of two items with one name", () => {
    const parsed = parseItems(
      "prompt",
      [{ name: "a", title: "1" }, { name: "a", title: "2" }],
      "b",
    );
    assert.deepEqual(parsed.items, [{ name: "a", title: "1" }]);
    assert.match(parsed.refused[0]?.reason ?? "", /twice/);
  });

  it("keeps the size of a refused definition out of the count", () => {
    const big = tool("big", { description: "x".repeat(100_000) });
    const parsed = parseItems("tool", [...Array(300).fill(big), tool("small")], "b");
    assert.deepEqual(parsed.items, [tool("small")]);
  });

  it("treats names of the language as plain names", () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    const parsed = parseItems("tool", names.map((name) => tool(name)), "b");
    assert.deepEqual(parsed.items.map(({ name }) => name), names);
  });

  it("requires name and identifier of resources and templates", () => {
    const bad = [{ uri: "a:b" }, { name: "x" }, { uri: "", name: "x" }, { uri: "a:\n", name: "x" }];
    assert.equal(reasonsFor("resource", ...bad).length, bad.length);
    const templates = [{ uriTemplate: "a:{b}" }, template(""), template("a:{b"), template("a:{}")];
    assert.equal(reasonsFor("template", ...templates).length, templates.length);
    assert.deepEqual(reasonsFor("resource", resource("file:///a?b=ü#c")), []);
    assert.deepEqual(reasonsFor("template", template("file:///{+path}{?a,b}")), []);
  });

  it("does not limit the length of a URI to that of a name", () => {
    assert.deepEqual(reasonsFor("resource", resource(`file:///${"x".repeat(2000)}`)), []);
  });

  it("takes 10,000 items and says that there were more", () => {
    const items = Array.from({ length: 10_001 }, (_, at) => tool(`t${at}`));
    assert.deepEqual(parseItems("tool", items.slice(1), "b").refused, []);
    const parsed = parseItems("tool", items, "b");
    assert.equal(parsed.items.length, 10_000);
    assert.deepEqual(parsed.refused, [{
      backend: "b",
      kind: "tool",
      name: "*",
      reason: 'the rest of "tools/list" was not read: it has more than 10000 items',
    }]);
  });

  it("bounds what it reports, in rows and in length", () => {
    const items = Array.from({ length: 5000 }, (_, at) => tool(`\u001b${"x".repeat(5000)}${at}`));
    const { refused } = parseItems("tool", items, "b");
    assert.equal(refused.length, 101);
    assert.match(refused.at(-1)?.reason ?? "", /4900 more/);
    assert.ok(JSON.stringify(refused).length < 50_000);
  });
});
