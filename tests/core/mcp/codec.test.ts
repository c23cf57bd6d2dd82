import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SentinelError } from "../../../src/contract/mod.ts";
import { decode, encodeError, encodeRequest, encodeResult } from "../../../src/core/mcp/codec.ts";
import { MAX_DEPTH, MAX_MEMBERS } from "../../../src/core/mcp/scan.ts";
import type { Message } from "../../../src/core/mcp/message.ts";

function one(text: string): Message {
  const frame = decode(text);
  assert.equal(frame.batch, false);
  return frame.messages[0] as Message;
}

function codeOf(text: string): string {
  try {
    decode(text);
  } catch (cause) {
    assert.ok(cause instanceof SentinelError, String(cause));
    return cause.code;
  }
  return "accepted";
}

function nested(levels: number): string {
  return `{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":${"[".repeat(levels - 2)}${
    "]".repeat(levels - 2)
  }}}`;
}

describe("decode", () => {
  it("reads a request, a notification, a result and an error", () => {
    assert.deepEqual(one('{"jsonrpc":"2.0","id":1,"method":"ping"}'), {
      kind: "request",
      id: "1",
      method: "ping",
      params: undefined,
      size: 0,
    });
    assert.deepEqual(one('{"jsonrpc":"2.0","method":"n","params":{"a":1}}'), {
      kind: "notification",
      method: "n",
      params: { a: 1 },
    });
    assert.deepEqual(one('{"result":{"x":[1]},"jsonrpc":"2.0","id":"a"}'), {
      kind: "response",
      id: '"a"',
      result: '{"x":[1]}',
      error: undefined,
    });
    const failed = one('{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"m"}}');
    assert.deepEqual(failed, {
      kind: "response",
      id: undefined,
      result: undefined,
      error: '{"code":-1,"message":"m"}',
    });
  });

  it("keeps ids as their text, so that types and wide integers survive", () => {
    for (const id of ["0", "-7", '"1"', "1", "9007199254740993", '"__proto__"', '"\\u00e9"']) {
      const message = one(`{"jsonrpc":"2.0","id":${id},"method":"m"}`);
      assert.equal(message.kind === "request" && message.id, id);
      assert.ok(encodeResult(id, "{}").includes(`"id":${id},`));
    }
  });

  it("refuses ids that are neither string nor integer (T04)", () => {
    for (
      const id of ["null", "true", "1.5", "{}", "[1]", "1e400", "1E3", `"${"x".repeat(10_000)}"`]
    ) {
      assert.equal(codeOf(`{"jsonrpc":"2.0","id":${id},"method":"m"}`), "INVALID_REQUEST", id);
    }
  });

  it("refuses what is not JSON as PARSE (T05)", () => {
    const texts = [
      "",
      " ",
      "{",
      '{"a"}',
      "nul",
      "[1,]",
      '{"a":1,}',
      "{} {}",
      "\ufeff{}",
      '"\\x"',
      '{"a":"\u0001"}',
      "01",
      "-",
      '{"jsonrpc":"2.0","id":1,"method":"a\nb"}',
    ];
    for (const text of texts) assert.equal(codeOf(text), "PARSE", JSON.stringify(text));
  });

  it("refuses every control character in a string, and no other (T05)", () => {
    for (let code = 0; code <= 0xff; code++) {
      const char = String.fromCharCode(code);
      if (char === '"' || char === "\\") continue;
      for (const wide of ["", "\u4e2d"]) {
        const text = `{"jsonrpc":"2.0","id":1,"result":{"a":"${wide}${char}"}}`;
        assert.equal(codeOf(text), code < 0x20 ? "PARSE" : "accepted", JSON.stringify(text));
      }
    }
  });

  it("refuses JSON that is not JSON-RPC as INVALID_REQUEST (T05)", () => {
    const texts = [
      '"x"',
      "1",
      "[1]",
      "{}",
      '{"id":1,"method":"m"}',
      '{"jsonrpc":"1.0","id":1,"method":"m"}',
      '{"jsonrpc":"2.0","id":1}',
      '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}',
      '{"jsonrpc":"2.0","id":1,"method":7}',
      '{"jsonrpc":"2.0","id":1,"method":""}',
      '{"jsonrpc":"2.0","id":1,"method":"m","params":[]}',
      '{"jsonrpc":"2.0","id":1,"method":"m","params":"x"}',
    ];
    for (const text of texts) assert.equal(codeOf(text), "INVALID_REQUEST", text);
  });

  it("refuses duplicate envelope keys, also in disguise", () => {
    assert.equal(codeOf('{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}'), "INVALID_REQUEST");
    assert.equal(
      codeOf('{"jsonrpc":"2.0","id":1,"method":"a","\\u006dethod":"b"}'),
      "INVALID_REQUEST",
    );
    assert.equal(codeOf('{"jsonrpc":"2.0","id":1,"id":2,"method":"a"}'), "INVALID_REQUEST");
  });

  it("does not take another case or look-alike for an envelope key", () => {
    const message = one('{"jsonrpc":"2.0","id":1,"method":"a","Method":"b","ﬁd":3}');
    assert.equal(message.kind === "request" && message.method, "a");
  });

  it("accepts the deepest nesting allowed and refuses one more", () => {
    assert.equal(codeOf(nested(MAX_DEPTH)), "accepted");
    assert.equal(codeOf(nested(MAX_DEPTH + 1)), "INVALID_REQUEST");
    assert.equal(codeOf(nested(100_000)), "INVALID_REQUEST");
  });

  it("refuses more members than the bound (T10)", () => {
    const keys = Array.from({ length: MAX_MEMBERS + 1 }, (_, index) => `"${index}":0`).join(",");
    assert.equal(
      codeOf(`{"jsonrpc":"2.0","id":1,"method":"m","params":{${keys}}}`),
      "INVALID_REQUEST",
    );
  });

  it("forwards numbers exactly (T10)", () => {
    const digits = "7".repeat(400);
    const params = `{"a":9007199254740993,"b":${digits},"c":-0,"d":1e400,"e":0.1,"f":[1.5]}`;
    const message = one(`{"jsonrpc":"2.0","id":1,"method":"m","params":${params}}`);
    assert.ok(message.kind === "request");
    const forwarded = encodeRequest("9", message.method, message.params);
    for (const text of ["9007199254740993", digits, "1e400", "0.1", "[1.5]"]) {
      assert.ok(forwarded.includes(text), text);
    }
  });

  it("keeps prototype keys as plain members (T10)", () => {
    const message = one(
      '{"jsonrpc":"2.0","id":1,"method":"m","params":{"__proto__":{"admin":true},"constructor":1}}',
    );
    assert.ok(message.kind === "request");
    assert.ok(
      encodeRequest("1", "m", message.params).includes(
        '{"__proto__":{"admin":true},"constructor":1}',
      ),
    );
    assert.equal(({} as Record<string, unknown>)["admin"], undefined);
  });

  it("makes results of one line, whatever layout they came in", () => {
    const message = one('{\n\t"jsonrpc": "2.0",\r\n "id": 5, "result": {\n  "a": "x\\ny"\n }\n}');
    assert.equal(message.kind === "response" && message.result, '{"a":"x\\ny"}');
  });

  it("reads strings with escapes next to their end", () => {
    const texts = ['"a\\\\"', '"\\""', '"\\u0022"', '"\\\\\\""', '""'];
    for (const text of texts) {
      const message = one(
        `{"jsonrpc":"2.0","id":1,"method":"m","params":{"v":${text},"w":"z\\n"}}`,
      );
      assert.deepEqual(message.kind === "request" && message.params, {
        v: JSON.parse(text) as string,
        w: "z\n",
      });
    }
  });

  it("reads a batch and tells it from a single message", () => {
    const frame = decode('[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","method":"b"}]');
    assert.equal(frame.batch, true);
    assert.deepEqual(frame.messages.map(({ kind }) => kind), ["request", "notification"]);
    assert.deepEqual(decode("[]"), { batch: true, messages: [] });
  });

  it("agrees with JSON.parse on what is JSON, for mutated texts", () => {
    const base =
      '{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":[1,-2.5e3,"x\\u0041\\n",true,null,{"b":{}}]}}';
    let seed = 42;
    const random = (limit: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % limit;
    for (let round = 0; round < 20_000; round++) {
      const at = random(base.length);
      const put = '{}[],:"\\0159.eE+- tfn\n'[random(22)] ?? "";
      const text = base.slice(0, at) + put + base.slice(at + random(3));
      if (isJson(text)) assert.notEqual(codeOf(text), "PARSE", JSON.stringify(text));
      else assert.notEqual(codeOf(text), "accepted", JSON.stringify(text));
    }
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("encodeRequest", () => {
  it("writes long texts among arguments as JSON.stringify does", () => {
    const fill = "x".repeat(5000);
    const texts = [
      '"',
      "\\",
      "\n",
      "\u0000",
      "\u001f",
      "\u2028",
      "\ud800",
      "\ud83d\ude00",
      "\u4e2d",
      "",
    ];
    for (const text of texts) {
      const long = `${fill}${text}${fill}`;
      const given = { 'a"': long, left: undefined, 1: [long], b: { c: long }, d: text, e: null };
      const params = { "name\n": text, arguments: given, _meta: { long }, out: undefined };
      const expected = `{"jsonrpc":"2.0","id":1,"method":"m","params":${JSON.stringify(params)}}`;
      assert.ok(encodeRequest("1", "m", params) === expected, JSON.stringify(text));
    }
  });

  it("keeps numbers beside a long text exact, and prototype keys as plain members (T10)", () => {
    const params = `{"arguments":{"t":"${
      "x".repeat(5000)
    }","n":12345678901234567890,"__proto__":1}}`;
    const message = one(`{"jsonrpc":"2.0","id":1,"method":"m","params":${params}}`);
    assert.ok(message.kind === "request");
    const text = encodeRequest("1", "m", message.params);
    assert.equal(text, `{"jsonrpc":"2.0","id":1,"method":"m","params":${params}}`);
  });
});

describe("encodeError", () => {
  it("answers with id null when the id could not be read", () => {
    assert.equal(
      encodeError(undefined, { code: -32700, message: "m" }),
      '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}',
    );
  });
});
