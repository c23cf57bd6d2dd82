import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  decodeHeaderValue,
  differingParameter,
  encodeHeaderValue,
  mirroredParameters,
} from "../../../src/core/mcp/header_values.ts";

const SCHEMA = {
  type: "object",
  properties: {
    region: { type: "string", "x-mcp-header": "Region" },
    count: { type: "integer", "x-mcp-header": "Count" },
    dry: { type: "boolean", "x-mcp-header": "Dry" },
    plain: { type: "string" },
    deep: { type: "object", properties: { id: { type: "integer", "x-mcp-header": "Deep-Id" } } },
    list: { type: "array", items: { type: "string", "x-mcp-header": "Item" } },
    any: { anyOf: [{ type: "string", "x-mcp-header": "Any" }] },
    broken: { type: "string", "x-mcp-header": "no token" },
    object: { type: "object", "x-mcp-header": "Object" },
    first: { type: "string", "x-mcp-header": "Twice" },
    second: { type: "string", "x-mcp-header": "TWICE" },
  },
};

describe("values of headers", () => {
  it("plain texts stay as they are, and all come back", () => {
    const plain = ["a", "tool_name", "a b", "file:///x?y=z", "~", "=?base64?", "?="];
    for (const text of plain) assert.equal(encodeHeaderValue(text), text);
    const coded = ["", " a", "a ", "\t", "a\nb", "ü", "日本語", "😀", "\u0000", "=?base64?YQ==?="];
    for (const text of coded) {
      const value = encodeHeaderValue(text);
      assert.match(value, /^=\?base64\?[A-Za-z0-9+/]*=*\?=$/);
      assert.equal(decodeHeaderValue(value), text);
    }
    for (const text of plain) assert.equal(decodeHeaderValue(encodeHeaderValue(text)), text);
  });

  it("blanks around a value do not count", () => {
    assert.equal(decodeHeaderValue(" \t a b\t "), "a b");
    assert.equal(decodeHeaderValue(` ${encodeHeaderValue("ü")} `), "ü");
  });

  it("a long row of blanks costs no more than its length", () => {
    const blanks = " ".repeat(100_000);
    assert.equal(decodeHeaderValue(`${blanks}a${blanks}b${blanks}`), `a${blanks}b`);
  });

  it("what is no Base64, or no UTF-8, is nothing", () => {
    for (const coded of ["!", "YQ", "YQ=", "Y Q=", "/w==", "YQ==YQ=="]) {
      assert.equal(decodeHeaderValue(`=?base64?${coded}?=`), undefined, coded);
    }
  });
});

describe("parameters repeated in headers", () => {
  const arguments_ = {
    region: "eu",
    count: 42,
    dry: false,
    plain: "p",
    deep: { id: 15 },
    list: ["i"],
    any: "a",
    broken: "b",
    object: {},
    first: "1",
    second: "2",
  };

  it("are those annotated where only properties lead, with a usable name that is used once", () => {
    assert.deepEqual([...mirroredParameters(SCHEMA, arguments_)], [
      ["Mcp-Param-Region", "eu"],
      ["Mcp-Param-Count", "42"],
      ["Mcp-Param-Dry", "false"],
      ["Mcp-Param-Deep-Id", "15"],
    ]);
  });

  it("are left out where there is no value, or none a header can tell exactly", () => {
    for (
      const args of [
        undefined,
        null,
        [],
        { region: null, count: undefined, dry: {} },
        { count: 2 ** 60, deep: [] },
        { count: Infinity },
        Object.create({ region: "inherited" }),
      ]
    ) assert.equal(mirroredParameters(SCHEMA, args).size, 0);
    assert.equal(mirroredParameters(undefined, arguments_).size, 0);
  });

  it("a number read exactly counts as its value", () => {
    const exact = JSON as unknown as { rawJSON(text: string): unknown };
    assert.deepEqual([...mirroredParameters(SCHEMA, { count: exact.rawJSON("42.0") })], [
      ["Mcp-Param-Count", "42"],
    ]);
    assert.equal(
      mirroredParameters(SCHEMA, { count: exact.rawJSON("12345678901234567890") }).size,
      0,
    );
  });

  it("are compared by value; texts letter by letter", () => {
    const check = (args: unknown, headers: Readonly<Record<string, string>>) =>
      differingParameter(SCHEMA, args, (name) => headers[name]);
    assert.equal(check({ count: 42 }, { "mcp-param-count": "42.0" }), undefined);
    assert.equal(check({ count: 42 }, { "mcp-param-count": "43" }), "Mcp-Param-Count");
    assert.equal(check({ count: 42 }, { "mcp-param-count": "0x2a" }), "Mcp-Param-Count");
    assert.equal(check({ count: 42 }, {}), "Mcp-Param-Count");
    assert.equal(check({ region: "1.0" }, { "mcp-param-region": "1" }), "Mcp-Param-Region");
    assert.equal(check({ region: "ü" }, { "mcp-param-region": "=?base64?w7w=?=" }), undefined);
    assert.equal(
      check({ region: "ü" }, { "mcp-param-region": "=?base64?!?=" }),
      "Mcp-Param-Region",
    );
    assert.equal(check({ dry: true }, { "mcp-param-dry": "TRUE" }), "Mcp-Param-Dry");
    assert.equal(check({}, { "mcp-param-region": "anything" }), undefined);
    assert.equal(check({ region: null }, {}), undefined);
  });
});
