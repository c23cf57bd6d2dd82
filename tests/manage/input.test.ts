import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { startManagement, type TestManagement, TOKENS } from "../support/management.ts";

const BASE = "/manage/v1";
const token = TOKENS.admin;

describe("what a request brings", () => {
  let management: TestManagement;
  afterEach(() => management.stop());

  const ask: TestManagement["ask"] = (method, target, options) =>
    management.ask(method, target, { token, ...options });

  test("hostile names are just not found, malformed ones refused", async () => {
    management = await startManagement();
    const names = [
      "%00",
      "%0d%0ax-injected:%201",
      "..%2f..%2fetc%2fpasswd",
      "%2e%2e%2fshutdown",
      "__proto__",
      "constructor",
      "toString",
      "%F0%9F%92%A9",
      "'%20OR%201=1--",
      "%24%7Benv:HOME%7D",
      "x".repeat(5000),
      "%2525",
    ];
    for (const name of names) {
      const { status, json } = await ask("GET", `${BASE}/backends/${name}`);
      assert.deepEqual([status, json.error.code], [404, "NOT_FOUND"], name);
      assert.ok(json.error.message.length < 300);
      const { status: session } = await ask("DELETE", `${BASE}/sessions/${name}`);
      assert.equal(session, 404, name);
    }
    for (const name of ["%", "%zz", "%c0%af", "a%", "%ff"]) {
      const { status, json } = await ask("GET", `${BASE}/backends/${name}`);
      assert.deepEqual([status, json.error.code], [400, "BAD_HTTP"], name);
    }
  });

  test("one path has one spelling", async () => {
    management = await startManagement();
    const spellings = [
      "",
      "/",
      "//manage/v1/status",
      "/manage//v1/status",
      `${BASE}/status/`,
      `${BASE}/status//`,
      `${BASE}/../v1/status`,
      `${BASE}/backends/../status`,
      `${BASE}/backends/%2e%2e/status`,
      `${BASE}\\status`,
      `${BASE}/st\tatus`,
      `${BASE}/status#x`,
      `${BASE}/status;x`,
      `${BASE}/STATUS`,
      `${BASE}/%73tatus`,
      "http://127.0.0.1/manage/v1/status",
      "/manage/v2/status",
    ];
    for (const path of spellings) {
      const { status, json } = await ask("GET", path);
      assert.deepEqual([status, json.error.code], [404, "NOT_FOUND"], path);
    }
  });

  test("a name is decoded once, and every name can be written", async () => {
    management = await startManagement();
    const { control } = management.gateway.core;
    for (const name of ["a__*", "a/b", "100%", "%2f", "zwei wörter", "💩", "a?b#c"]) {
      const target = `${BASE}/kill-switches/tools/${encodeURIComponent(name)}`;
      const { json } = await ask("PUT", target, { body: { reason: "test" } });
      assert.equal(json.outcome, "applied", name);
      assert.deepEqual(control.killSwitches().map((entry) => entry.name), [name]);
      assert.equal((await ask("DELETE", target)).json.outcome, "applied", name);
    }
    assert.deepEqual(control.killSwitches(), []);
  });

  test("unknown and repeated query parameters are refused by name", async () => {
    management = await startManagement();
    const error = async (search: string) => {
      const { status, json } = await ask("GET", `${BASE}/backends?${search}`);
      assert.deepEqual([status, json.error.code], [400, "INVALID_PARAMS"], search);
      return [json.error.message, json.error.reason];
    };
    assert.deepEqual(await error("limt=3"), [
      'Unknown query parameter "limt"',
      'did you mean "limit"?',
    ]);
    assert.deepEqual(await error("zzzzzz=3"), [
      'Unknown query parameter "zzzzzz"',
      "known: after, limit, filter",
    ]);
    assert.deepEqual(await error("limit=1&limit=2"), [
      'Query parameter "limit" is given twice',
      undefined,
    ]);
    assert.match((await error("__proto__=1"))[0], /Unknown query parameter "__proto__"/);
    assert.match((await error("limit=0"))[0], /"limit" cannot be used: write a number/);
    assert.match((await error("limit=1001"))[0], /"limit" cannot be used: at most 1000/);
    assert.match((await error("limit=1e3"))[0], /"limit" cannot be used/);
    assert.match((await error(`after=${"x".repeat(2001)}`))[0], /"after" cannot be used/);
    const filter = await error("filter=stauts:error");
    assert.match(filter[0], /unknown field "stauts" — did you mean "status"\?/);
    const { status } = await ask("GET", `${BASE}/status?x=1`);
    assert.equal(status, 400);
  });

  test("bodies are one JSON object with the members of the table", async () => {
    management = await startManagement();
    const put = async (body: unknown, headers = {}) => {
      const { status, json } = await ask("PUT", `${BASE}/kill-switches/tools/x`, { body, headers });
      return [status, json.error.code, json.error.message];
    };
    const invalid = async (body: unknown, message: RegExp) => {
      const [status, code, text] = await put(body);
      assert.deepEqual([status, code], [400, "INVALID_PARAMS"], text);
      assert.match(text, message);
    };
    await invalid({}, /Member "reason" is missing/);
    await invalid(undefined, /Member "reason" is missing/);
    await invalid({ reason: 1 }, /Member "reason" cannot be used/);
    await invalid({ reason: "  " }, /Member "reason" cannot be used: give a reason/);
    await invalid({ reason: "x".repeat(501) }, /at most 500 characters/);
    await invalid({ reason: "x", reasons: "y" }, /Unknown member "reasons"/);
    await invalid('{"reason":"x","__proto__":{"admin":true}}', /Unknown member "__proto__"/);
    await invalid('{"reason":"x","constructor":1}', /Unknown member "constructor"/);
    await invalid("[]", /./);
    await invalid("null", /must be one JSON object/);
    for (const body of ["{", '{"reason":"x"}}', "\ufeff{}", "[".repeat(60_000), " "]) {
      const [status, code] = await put(body);
      assert.deepEqual([status, code], [400, "PARSE"], body.slice(0, 20));
    }
    const plain = { "content-type": "application/json; charset=latin1" };
    assert.deepEqual((await put({ reason: "x" }, plain)).slice(0, 2), [415, "BAD_HTTP"]);
    const utf8 = { "content-type": "application/json; charset=utf-8" };
    const { status } = await ask("PUT", `${BASE}/kill-switches/tools/x`, {
      body: { reason: "x" },
      headers: utf8,
    });
    assert.equal(status, 200);
  });

  test("no body can name a command, a path or an address", async () => {
    management = await startManagement();
    const smuggled = [
      { command: "sh", args: ["-c", "id"] },
      { config: "/etc/passwd" },
      { file: "/etc/passwd" },
      { url: "http://169.254.169.254/" },
      { path: "../../x" },
      { env: { LD_PRELOAD: "/tmp/x.so" } },
    ];
    for (const path of ["reload", "config/diff", "shutdown", "backends/x/reconnect"]) {
      for (const body of smuggled) {
        const { status, json } = await ask("POST", `${BASE}/${path}`, { body });
        assert.deepEqual([status, json.error.code], [400, "INVALID_PARAMS"], path);
      }
    }
    assert.deepEqual(management.gateway.journal.entries, []);
  });

  test("routes without a body refuse one", async () => {
    management = await startManagement();
    for (
      const [method, path] of [["GET", "status"], ["DELETE", "kill-switches/tools/x"]] as const
    ) {
      const { status, json } = await ask(method, `${BASE}/${path}`, { body: {} });
      assert.deepEqual([status, json.error.code], [400, "BAD_HTTP"]);
      const headers = { "transfer-encoding": "chunked" };
      assert.equal((await ask(method, `${BASE}/${path}`, { headers })).status, 400);
    }
  });

  test("operations take an Idempotency-Key, and do a thing once for it", async () => {
    management = await startManagement();
    const put = (key: string) =>
      ask("PUT", `${BASE}/log-level`, {
        body: { level: "debug", minutes: 5 },
        headers: { "idempotency-key": key },
      });
    const [first, second] = [await put("k1"), await put("k1")];
    assert.equal(first.json.id, second.json.id);
    assert.notEqual((await put("k2")).json.id, first.json.id);
    const key = "k".repeat(200);
    assert.equal((await put(key)).status, 200);
    for (const wrong of ["", `${key}k`, "two words", "ü", "a\tb"]) {
      const { status, json } = await put(wrong);
      assert.deepEqual([status, json.error.code], [400, "INVALID_PARAMS"], wrong);
    }
    const other = await ask("POST", `${BASE}/reload`, { headers: { "idempotency-key": "k1" } });
    assert.deepEqual([other.status, other.json.error.code], [409, "CONFLICT"]);
  });

  test("unknown cursors", async () => {
    management = await startManagement();
    const { events } = management.gateway.core.control;
    const ahead = String(events.last + 1000);
    for (const path of [`events?after=${ahead}`, `events/stream?after=${ahead}`]) {
      const { status, json } = await ask("GET", `${BASE}/${path}`);
      assert.deepEqual([status, json.error.code], [410, "CURSOR_UNKNOWN"]);
      assert.equal(json.error.last, String(events.last));
    }
    for (const cursor of ["-1", "1.5", "abc", "01", "99999999999999999999", ""]) {
      const { status, json } = await ask("GET", `${BASE}/events?after=${cursor}`);
      assert.deepEqual([status, json.error.code], [400, "INVALID_PARAMS"], cursor);
      const headers = { "last-event-id": cursor };
      const stream = await ask("GET", `${BASE}/events/stream`, { headers });
      assert.equal(stream.status, 400, cursor);
    }
    const { status } = await ask("GET", `${BASE}/sessions?after=x`);
    assert.equal(status, 400);
  });

  test("a defect of the gateway says nothing but the id under which it is logged", async () => {
    management = await startManagement({
      control: {
        config: () => {
          throw new TypeError("/home/someone/secret.ts is undefined");
        },
      },
    });
    const { status, json } = await ask("GET", `${BASE}/config`);
    assert.equal(status, 500);
    assert.equal(json.error.message, "Internal error");
    assert.ok(!JSON.stringify(json).includes("secret"));
    const [logged] = management.log;
    assert.equal(logged?.event, "call.defect");
    assert.equal(logged?.fields["request_id"], json.error.request);
    assert.match(String(logged?.fields["cause"]), /secret\.ts/);
  });
});
