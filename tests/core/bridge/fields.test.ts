import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SentinelError } from "../../../src/contract/mod.ts";
import { toLegacyResult, toModernCode, toModernResult } from "../../../src/core/bridge/fields.ts";
import { downgradeContent } from "../../../src/core/mcp/downgrade.ts";
import type { JsonObject } from "../../../src/core/mcp/json.ts";
import { seeded } from "../catalog/support.ts";

const KEY = "io.modelcontextprotocol/serverInfo";
const INFO = { name: "gateway", version: "1" };
const META = JSON.stringify({ [KEY]: INFO });
const CACHE = { ttlMs: 30_000, scope: "private" } as const;
const TOOL = { isTool: true, isWrapped: false };
const OTHER = { isTool: false, isWrapped: false };

const modern = (value: unknown, cache?: typeof CACHE): JsonObject =>
  JSON.parse(toModernResult(JSON.stringify(value), { meta: META, cache })) as JsonObject;
const legacy = (value: unknown, reading = TOOL): JsonObject =>
  JSON.parse(toLegacyResult(JSON.stringify(value), reading)) as JsonObject;

describe("a legacy backend's result for a modern client", () => {
  it("is complete, and says who answers; the text between stays as it is", () => {
    const inner = '"content":[{"type":"text","text":"\\u00e9 \\n"}],"n":1.00';
    assert.equal(
      toModernResult(`{${inner}}`, { meta: META }),
      `{"resultType":"complete",${inner},"_meta":${META}}`,
    );
    assert.equal(
      toModernResult("{}", { meta: META }),
      `{"resultType":"complete","_meta":${META}}`,
    );
  });

  it("of a resource says how long it may be kept", () => {
    const contents = [{ uri: "u:1", text: "x" }];
    assert.deepEqual(modern({ contents }, CACHE), {
      resultType: "complete",
      contents,
      ttlMs: 30_000,
      cacheScope: "private",
      _meta: { [KEY]: INFO },
    });
    assert.deepEqual(modern({ contents, ttlMs: 1, cacheScope: "public" }, CACHE)["ttlMs"], 30_000);
  });

  it("has no type of its own, however it is written", () => {
    for (const name of ['"resultType"', '"result\\u0054ype"', '"\\u0072esultType"']) {
      const text = toModernResult(`{"a":1,${name}:"input_required"}`, { meta: META });
      assert.equal((JSON.parse(text) as JsonObject)["resultType"], "complete");
      assert.equal(text.match(/resultType/g)?.length, 1);
    }
  });

  it("keeps what it says in _meta, but not who answers", () => {
    const _meta = { "vendor/key": [1], [KEY]: { name: "backend" } };
    assert.deepEqual(modern({ _meta })["_meta"], { "vendor/key": [1], [KEY]: INFO });
    for (const broken of [null, 7, "x", []]) {
      assert.deepEqual(modern({ _meta: broken })["_meta"], { [KEY]: INFO });
    }
  });

  it("keeps numbers that a double cannot carry, also where it is parsed", () => {
    const text = toModernResult('{"n":12345678901234567890,"_meta":{}}', { meta: META });
    assert.match(text, /"n":12345678901234567890/);
  });

  it("that is not an object is refused", () => {
    for (const text of ["[]", "null", '"text"', "7", "12345678901234567890"]) {
      for (
        const translate of [
          () => toModernResult(text, { meta: META }),
          () => toLegacyResult(text, TOOL),
        ]
      ) {
        assert.throws(
          translate,
          (error) => error instanceof SentinelError && error.code === "BACKEND_PROTOCOL",
        );
      }
    }
  });
});

describe("a modern backend's result for a legacy client", () => {
  it("has no type and no hints for caches; the text between stays as it is", () => {
    const inner = '"content":[{"type":"text","text":"\\u00e9"}],"n":1.00';
    assert.equal(toLegacyResult(`{"resultType":"complete",${inner}}`, TOOL), `{${inner}}`);
    assert.equal(toLegacyResult(`{${inner},"resultType":"complete"}`, TOOL), `{${inner}}`);
    assert.equal(toLegacyResult(`{${inner}}`, TOOL), `{${inner}}`);
    assert.equal(toLegacyResult('{"resultType":"complete"}', TOOL), "{}");
    const read = { resultType: "complete", contents: [], ttlMs: 5, cacheScope: "public" };
    assert.deepEqual(legacy(read, OTHER), { contents: [] });
  });

  it("keeps members of those names that are not its own", () => {
    const content = [{ type: "text", text: "", resultType: "complete", ttlMs: 1 }];
    assert.deepEqual(legacy({ resultType: "complete", content }), { content });
    assert.deepEqual(legacy({ content, resultType: "complete" }), { content });
    const nested = [{ type: "text", text: "", resultType: "complete" }];
    assert.deepEqual(legacy({ resultType: "complete", nested }), { nested });
    assert.deepEqual(legacy({ nested, resultType: "complete" }), { nested });
  });

  it("keeps _meta, with who answers", () => {
    const _meta = { [KEY]: INFO };
    assert.deepEqual(legacy({ resultType: "complete", content: [], _meta }), {
      content: [],
      _meta,
    });
  });

  it("has an object as structured content, and a text that says the same", () => {
    for (const value of [[1, 2], "text", 7, true, null]) {
      assert.deepEqual(legacy({ content: [], structuredContent: value }), {
        content: [{ type: "text", text: JSON.stringify(value) }],
        structuredContent: { result: value },
      });
    }
    assert.deepEqual(legacy({ structuredContent: [1] })["content"], [{
      type: "text",
      text: "[1]",
    }]);
    const image = { type: "image", data: "", mimeType: "image/png" };
    assert.deepEqual(legacy({ content: [image], structuredContent: [] })["content"], [
      image,
      { type: "text", text: "[]" },
    ]);
    const content = [{ type: "text", text: "own" }];
    assert.deepEqual(legacy({ content, structuredContent: [1] })["content"], content);
  });

  it("leaves an object alone, unless the schema was wrapped", () => {
    const result = { content: [], structuredContent: { a: [1] } };
    assert.deepEqual(legacy(result), result);
    assert.deepEqual(legacy(result, { isTool: true, isWrapped: true }), {
      content: [],
      structuredContent: { result: { a: [1] } },
    });
    assert.deepEqual(legacy({ content: [] }, { isTool: true, isWrapped: true }), { content: [] });
  });

  it("keeps a number as structured content that a double cannot carry", () => {
    const text = toLegacyResult('{"content":[],"structuredContent":12345678901234567890}', TOOL);
    assert.equal(
      text,
      '{"content":[{"type":"text","text":"12345678901234567890"}],' +
        '"structuredContent":{"result":12345678901234567890}}',
    );
  });

  it("is no tool's where nothing is structured", () => {
    const prompt = { messages: [], structuredContent: [1] };
    assert.deepEqual(legacy({ ...prompt, resultType: "complete" }, OTHER), prompt);
  });

  it("tells older clients in text what they have no member for", () => {
    const text = toLegacyResult('{"resultType":"complete","structuredContent":[1]}', TOOL);
    const older = downgradeContent(text, { structured: false, audio: true });
    assert.deepEqual(JSON.parse(older), { content: [{ type: "text", text: "[1]" }] });
  });
});

describe("the code of an error for a modern client", () => {
  it("is one of its revision", () => {
    assert.deepEqual([-32002, -32602, -32601, -31021].map(toModernCode), [
      -32602,
      -32602,
      -32601,
      -31021,
    ]);
  });
});

const NAMES = [
  "resultType",
  "_meta",
  "ttlMs",
  "cacheScope",
  "structuredContent",
  "content",
  "a",
  "",
  "__proto__",
  '"',
  "\\u005f",
];
const TEXTS = [
  "complete",
  '"resultType":"complete"',
  ',"resultType":"complete"}',
  '{"_meta":{}}',
  "\\",
  '\\"',
  "\u00e9\u2028\ud83d\ude00",
  "}",
];

/** Any JSON value, written with odd but valid escapes and blanks. */
class AnyJson {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  object(depth = 0): string {
    const start = Math.floor(this.#random() * NAMES.length);
    const names = [...NAMES.slice(start), ...NAMES.slice(0, start)]
      .filter(() => this.#random() < 0.3);
    // A name twice has no meaning that two readers share.
    return `{${
      names.map((name) =>
        `${this.#text(name)}${this.#blank()}:${this.#blank()}${this.#value(depth + 1)}`
      ).join(",")
    }}`;
  }

  #value(depth: number): string {
    const kind = Math.floor(this.#random() * (depth > 3 ? 4 : 6));
    if (kind === 0) return String(Math.floor(this.#random() * 1000));
    if (kind === 1) return this.#pick(["null", "true", "false"]);
    if (kind <= 3) return this.#text(this.#pick(TEXTS));
    if (kind === 4) return this.object(depth);
    return `[${[this.#value(depth + 1), this.#value(depth + 1)].join(",")}]`;
  }

  #text(text: string): string {
    if (this.#random() > 0.2) return JSON.stringify(text);
    const escaped = Array.from({ length: text.length }, (_, at) => {
      const code = text.charCodeAt(at).toString(16).padStart(4, "0");
      return this.#random() > 0.5 ? `\\u${code}` : `\\u${code.toUpperCase()}`;
    });
    return `"${escaped.join("")}"`;
  }

  #blank(): string {
    return this.#random() < 0.1 ? " " : "";
  }

  #pick(from: readonly string[]): string {
    return from[Math.floor(this.#random() * from.length)] ?? "";
  }
}

/** Members by name, also of the name "__proto__". */
function membersOf(text: string): Map<string, unknown> {
  return new Map(Object.entries(JSON.parse(text) as JsonObject));
}

describe("any result", () => {
  const any = new AnyJson(11);
  const results = Array.from({ length: 5000 }, () => any.object());

  it("becomes modern as if it had been parsed", () => {
    for (const text of results) {
      for (const cache of [undefined, CACHE]) {
        const expected = membersOf(text);
        const meta = expected.get("_meta");
        const kept = typeof meta === "object" && meta !== null && !Array.isArray(meta) ? meta : {};
        expected.set("resultType", "complete").set("_meta", { ...kept, [KEY]: INFO });
        if (cache) expected.set("ttlMs", cache.ttlMs).set("cacheScope", cache.scope);
        assert.deepEqual(membersOf(toModernResult(text, { meta: META, cache })), expected, text);
      }
    }
  });

  it("becomes legacy as if it had been parsed", () => {
    for (const text of results) {
      const expected = membersOf(text);
      for (const name of ["resultType", "ttlMs", "cacheScope"]) expected.delete(name);
      assert.deepEqual(membersOf(toLegacyResult(text, OTHER)), expected, text);
      const tool = membersOf(toLegacyResult(text, TOOL));
      const value = expected.get("structuredContent");
      const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
      if (value !== undefined && !isObject) expected.set("structuredContent", { result: value });
      assert.deepEqual(tool.get("structuredContent"), expected.get("structuredContent"), text);
    }
  });

  it("is legacy again after it became modern", () => {
    for (const text of results) {
      const there = toModernResult(text, { meta: META });
      const expected = membersOf(text);
      for (const name of ["resultType", "ttlMs", "cacheScope", "_meta"]) expected.delete(name);
      const back = membersOf(toLegacyResult(there, OTHER));
      back.delete("_meta");
      assert.deepEqual(back, expected, text);
    }
  });
});
