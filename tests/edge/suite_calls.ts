/** Calls of both eras through an isolate: what must hold wherever it runs. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type RunningServer, startEchoServer } from "../support/echo_server.ts";
import { messagesOf, post, type Rpc } from "../support/http_session.ts";
import { type ModernBackend, serveModern } from "../support/modern_backend.ts";
import { modern, modernPost } from "../support/modern_http.ts";
import { type HttpServer, startEverything } from "../support/servers.ts";
import { until } from "../scenarios/until.ts";
import { createKey, KeyServer, tokenOf } from "../core/auth/tokens.ts";
import { bindingsOf, type RunningEdge, type StartEdge, type Written } from "./edges.ts";

/** For what happens beside the answer. */
const WAIT_MS = 10_000;

/** @param where said in the names of the tests */
export function callSuite(where: string, start: () => StartEdge): void {
  describe(`calls at the edge, ${where}`, { timeout: 120_000 }, () => {
    let echo: RunningServer;
    let newer: ModernBackend;
    let everything: HttpServer;

    before(async () => {
      [echo, newer, everything] = await Promise.all([
        startEchoServer(),
        serveModern(),
        startEverything("streamableHttp"),
      ]);
    });
    after(async () => {
      await Promise.all([echo.close(), newer.close(), everything.stop()]);
    });

    /** With the three backends, unless the test has its own. */
    const withEdge = async (
      written: Partial<Written>,
      work: (edge: RunningEdge) => Promise<void>,
    ) => {
      const backends = { echo: echo.url, newer: newer.url.href, every: everything.url };
      const edge = await start()(bindingsOf({ backends, ...written }));
      try {
        await work(edge);
      } finally {
        await edge.stop();
      }
    };
    const call = (edge: RunningEdge, name: string, args: object = {}) =>
      modern(edge.fetch, "tools/call", { name, arguments: args });

    it("a modern client lists and calls tools of backends of both eras", () =>
      withEdge({}, async (edge) => {
        const { answer: { result } } = await modern(edge.fetch, "tools/list");
        const names = (result.tools as Rpc[]).map(({ name }) => name);
        for (const name of ["echo__echo", "newer__wait", "every__echo"]) {
          assert.ok(names.includes(name), name);
        }
        const legacy = await call(edge, "echo__echo", { text: "one" });
        assert.deepEqual(legacy.answer["result"].content, [{ type: "text", text: "one" }]);
        const published = await call(edge, "every__echo", { message: "two" });
        assert.deepEqual(published.answer["result"].content, [{ type: "text", text: "Echo: two" }]);
        const own = await call(edge, "newer__touch", { uri: "note:a" });
        assert.equal(own.answer["result"].content[0].text, '{"uri":"note:a"}');
      }));

    it("a backend that speaks HTTP with SSE is called too", async () => {
      const older = await startEverything("sse");
      await withEdge({ backends: { older: older.url } }, async (edge) => {
        for (const message of ["one", "two"]) {
          const { answer } = await call(edge, "older__echo", { message });
          assert.equal(answer["result"].content[0].text, `Echo: ${message}`);
        }
      });
      await older.stop();
    });

    it("what goes before an answer comes as a stream", () =>
      withEdge({}, async (edge) => {
        const response = await modernPost(edge.fetch, "tools/call", {
          name: "newer__steps",
          arguments: {},
        }, { meta: { progressToken: "p" } });
        assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
        const messages = await messagesOf(response);
        assert.equal(messages[0]?.["params"].progressToken, "p");
        assert.ok(messages.at(-1)?.["result"]);
      }));

    it("a question of a modern backend reaches a modern client, and its answer the backend", () =>
      withEdge({}, async (edge) => {
        const params = { name: "newer__ask", arguments: {} };
        const capabilities = { elicitation: { form: {} } };
        const { answer } = await modern(edge.fetch, "tools/call", params, { capabilities });
        assert.equal(answer["result"].resultType, "input_required");
        const { requestState } = answer["result"];
        const inputResponses = { sure: { action: "accept", content: {} } };
        const again = await modern(
          edge.fetch,
          "tools/call",
          { ...params, requestState, inputResponses },
          { capabilities },
        );
        assert.equal(again.answer["result"].content[0].text, "thanks");
      }));

    it("a legacy client sends single requests; a session is refused with what to configure", () =>
      withEdge({}, async (edge) => {
        const request = (method: string, params: object) =>
          post(edge.fetch, { jsonrpc: "2.0", id: 7, method, params }, {
            "mcp-protocol-version": "2025-06-18",
          });
        const called = await request("tools/call", {
          name: "echo__echo",
          arguments: { text: "alone" },
        });
        assert.equal(called.status, 200);
        const [answer] = await messagesOf(called);
        assert.equal(answer?.["result"].content[0].text, "alone");
        const params = {
          protocolVersion: "2025-06-18",
          capabilities: {},
          clientInfo: { name: "t", version: "1" },
        };
        const refused = await request("initialize", params);
        assert.equal(refused.status, 400);
        const [refusal] = await messagesOf(refused);
        assert.equal(refusal?.id, 7);
        const { code, reason, supported } = refusal?.["error"].data ?? {};
        assert.equal(code, "REVISION_UNSUPPORTED");
        assert.match(reason, /sessions\.store = "redis"/);
        assert.deepEqual(supported, ["2026-07-28"]);
      }));

    it("rules, kill switches and checks of arguments hold", () =>
      withEdge({
        more: `[kill]
tools = ["every__get-env"]
reason = "INC-7"
[[rules]]
name = "no-secrets"
when = 'tool.backend == "echo" && args.text.contains("secret")'
action = "deny"
`,
      }, async (edge) => {
        const killed = await call(edge, "every__get-env");
        assert.equal(killed.answer["error"].data.code, "TOOL_DISABLED");
        const denied = await call(edge, "echo__echo", { text: "a secret" });
        assert.equal(denied.answer["error"].data.code, "POLICY_DENIED");
        assert.equal(denied.answer["error"].data.rule, "no-secrets");
        const wrong = await call(edge, "every__echo", { message: 1 });
        assert.equal(wrong.answer["result"].isError, true);
        assert.match(wrong.answer["result"].content[0].text, /\$\.message/);
      }));

    it("a limit counts over requests of an isolate", () =>
      withEdge({ limits: 'default = { rate = "1/h", burst = 2 }' }, async (edge) => {
        const codes: unknown[] = [];
        for (let index = 0; index < 3; index++) {
          const { answer } = await call(edge, "echo__echo", { text: "x" });
          codes.push(answer["error"]?.data.code);
        }
        assert.deepEqual(codes, [undefined, undefined, "RATE_LIMITED"]);
      }));

    it("tokens of an issuer are checked, roles decide, and keys are not fetched each time", async () => {
      const key = await createKey("ES256", "one");
      await using keys = await KeyServer.start([key.jwk]);
      const more = `[auth]
mode = "jwt"
[[auth.jwt]]
issuer = "https://login.example"
audience = "https://mcp.example.com"
jwks_url = "${keys.url}"
[roles.reader]
tools = ["echo__*"]
`;
      const bearer = async (claims: object) => {
        const token = { issuer: "https://login.example", now: Date.now(), claims: { ...claims } };
        return { authorization: `Bearer ${await tokenOf(key, token)}` };
      };
      const bindings = { SENTINEL_WITHOUT_SIGN_IN: "no" };
      await withEdge({ more, bindings }, async (edge) => {
        const anonymous = await modern(edge.fetch, "tools/list");
        assert.equal(anonymous.status, 401);
        const expired = await bearer({ exp: 1, roles: ["reader"] });
        assert.equal(
          (await modern(edge.fetch, "tools/list", {}, { headers: expired })).status,
          401,
        );
        const headers = await bearer({ roles: ["reader"] });
        const { answer } = await modern(edge.fetch, "tools/list", {}, { headers });
        assert.deepEqual((answer["result"].tools as Rpc[]).map(({ name }) => name), ["echo__echo"]);
        const beyond = { name: "every__echo", arguments: { message: "x" } };
        const refused = await modern(edge.fetch, "tools/call", beyond, { headers });
        assert.equal(refused.answer["error"].data.code, "INVALID_PARAMS");
        const own = { name: "echo__echo", arguments: { text: "mine" } };
        const called = await modern(edge.fetch, "tools/call", own, { headers });
        assert.equal(called.answer["result"].content[0].text, "mine");
        assert.equal(keys.fetches, 1);
      });
    });

    it("the first requests of an isolate may come side by side", () =>
      withEdge({ backends: { echo: echo.url } }, async (edge) => {
        const texts = await Promise.all(["1", "2", "3", "4"].map(async (text) => {
          const { answer } = await call(edge, "echo__echo", { text });
          return answer["result"].content[0].text as string;
        }));
        assert.deepEqual(texts, ["1", "2", "3", "4"]);
      }));

    it("a call that hangs keeps no other waiting, and ends at its backend with its client", () =>
      withEdge({ backends: { echo: echo.url, newer: newer.url.href } }, async (edge) => {
        await modern(edge.fetch, "tools/list");
        const cancelled = newer.cancelled();
        const gone = new AbortController();
        const before = waitingAt(newer);
        const hanging = hang(edge, gone.signal);
        await until(() => assert.ok(waitingAt(newer) > before), WAIT_MS);
        const texts = await Promise.all(["1", "2", "3"].map(async (text) => {
          const { answer } = await call(edge, "echo__echo", { text });
          return answer["result"].content[0].text as string;
        }));
        assert.deepEqual(texts, ["1", "2", "3"]);
        gone.abort();
        await assert.rejects(hanging);
        await until(() => assert.ok(newer.cancelled() > cancelled), WAIT_MS);
      }));

    it("a backend that is away is told as such, and the others answer", () =>
      withEdge({ backends: { gone: "http://127.0.0.1:1/mcp", echo: echo.url } }, async (edge) => {
        const { answer } = await call(edge, "echo__echo", { text: "here" });
        assert.equal(answer["result"].content[0].text, "here");
        const ready = await edge.fetch(new Request("http://127.0.0.1:8808/ready"));
        assert.equal(ready.status, 200);
      }));

    it("an unusable configuration is told at once, with all that is wrong", async () => {
      const edge = await start()({
        SENTINEL_CONFIG: `version = 1
[sessions]
store = "sqlite"
[catalog]
on_change = "hold"
[backends.local]
command = "cat"
[backends.kept]
url = "https://backend.example/mcp"
instances = "per-session"
`,
      });
      const response = await edge.fetch(new Request("http://127.0.0.1:8808/mcp"));
      assert.equal(response.status, 503);
      assert.equal(response.headers.get("content-type"), "application/problem+json");
      const { problems } = await response.json() as { problems: Rpc[] };
      assert.deepEqual(problems.map(({ code, path }) => `${code} ${path}`), [
        "EDGE_STDIO_BACKEND backends.local.command",
        "EDGE_BACKEND_PER_SESSION backends.kept.instances",
        "EDGE_HOLD catalog.on_change",
        "EDGE_AUDIT_STORE audit.store",
        "EDGE_SESSION_STORE sessions.store",
        "EDGE_SIGN_IN auth.mode",
      ]);
      await edge.stop();
    });

    it("what is written wrong is told with its place, a file with why there is none", async () => {
      const edge = await start()({
        SENTINEL_CONFIG: `version = 1
[backends.a]
url = "https://a.example/mcp"
headers = { Authorization = "\${file:/run/secrets/token}" }
[catalog]
prefux = "always"
`,
      });
      const response = await edge.fetch(new Request("http://127.0.0.1:8808/health"));
      assert.equal(response.status, 503);
      const { problems } = await response.json() as { problems: Rpc[] };
      assert.deepEqual(problems.map(({ code }) => code), ["unresolved", "unknown_key"]);
      assert.match(problems[0]?.["message"], /there are no files here/);
      assert.match(problems[1]?.["path"], /line 6/);
      await edge.stop();
    });
  });
}

/** Calls that reached the backend to wait there. */
function waitingAt({ seen }: ModernBackend): number {
  return seen.filter(({ message }) => message["params"]?.name === "wait").length;
}

/** A call that its backend never answers. */
function hang(edge: RunningEdge, signal: AbortSignal): Promise<Response> {
  const fetch = (request: Request) => edge.fetch(new Request(request, { signal }));
  return modernPost(fetch, "tools/call", { name: "newer__wait", arguments: {} })
    // An isolate in this process has no connection to break: its answer is that nobody waits for it.
    .then((response) => {
      if (signal.aborted) throw new Error("aborted");
      return response;
    });
}
