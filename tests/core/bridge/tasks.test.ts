import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startCore, type TestCore } from "../../support/core.ts";
import { bodyOf, type HttpFixture, serveHttp } from "../../support/http_fixture.ts";
import { HttpSession, type Rpc } from "../../support/http_session.ts";
import { discovered } from "../../support/modern_backend.ts";
import { META, modern } from "../../support/modern_http.ts";
import { AUDIENCE, secretKey, tokenOf } from "../auth/tokens.ts";

const TASKS = `${META}/tasks`;
const TAKES = { extensions: { [TASKS]: {} } };
const SECRET = "0123456789abcdef0123456789abcdef";
const ISSUER = { issuer: "one", audience: AUDIENCE, secret: SECRET };

interface Backend extends HttpFixture {
  readonly seen: { readonly message: Rpc; readonly name: string | undefined }[];
}

/** A modern server whose tool `long` begins a task for everybody who says that they take one. */
async function taskBackend(): Promise<Backend> {
  const seen: Backend["seen"] = [];
  const results = (message: Rpc): unknown => {
    const { method, params } = message;
    const extensions = params?._meta?.[`${META}/clientCapabilities`]?.extensions ?? {};
    if (method === "server/discover") return discovered({ tools: {}, ...TAKES });
    if (method === "tools/list") {
      return { resultType: "complete", tools: [{ name: "long", inputSchema: { type: "object" } }] };
    }
    if (method === "tools/call" && TASKS in extensions) {
      return { resultType: "task", taskId: "t:1 ä", status: "working", ttlMs: 60_000 };
    }
    if (method === "tools/call") return { resultType: "complete", content: [] };
    return { resultType: "complete", taskId: params.taskId, status: "working" };
  };
  const fixture = await serveHttp(async (request, response) => {
    const message = JSON.parse(await bodyOf(request)) as Rpc;
    seen.push({ message, name: request.headers["mcp-name"]?.toString() });
    const body = { jsonrpc: "2.0", id: message.id, result: results(message) };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  }, "/mcp");
  return { ...fixture, seen };
}

describe("tasks of a modern backend", () => {
  let backend: Backend;
  let gateway: TestCore;
  before(async () => {
    backend = await taskBackend();
    gateway = await startCore({
      auth: { mode: "jwt", jwt: [ISSUER] },
      roles: { worker: { tools: ["*"] }, other: { tools: ["*"] }, none: {} },
      backends: { b: { url: backend.url.href, era: "modern" } },
    });
  });
  after(async () => {
    await gateway.stop();
    await backend.close();
  });

  const bearer = async (sub: string, roles = ["worker"]) => {
    const key = secretKey("HS256", SECRET);
    const token = await tokenOf(key, { issuer: "one", now: Date.now(), claims: { sub, roles } });
    return { authorization: `Bearer ${token}` };
  };
  const request = async (
    method: string,
    params: Readonly<Record<string, unknown>>,
    { sub = "anna", roles, capabilities = TAKES }: {
      readonly sub?: string;
      readonly roles?: string[];
      readonly capabilities?: unknown;
    } = {},
  ) => {
    const headers = await bearer(sub, roles);
    const { answer } = await modern(gateway.core.fetch, method, params, { headers, capabilities });
    return answer;
  };
  const begin = async () => {
    const { result } = await request("tools/call", { name: "b__long", arguments: {} });
    assert.equal(result.resultType, "task");
    return result as { readonly taskId: string; readonly status: string };
  };

  it("are asked for by whoever began them, under an id of the gateway", async () => {
    const { taskId, status } = await begin();
    assert.equal(status, "working");
    assert.notEqual(taskId, "t:1 ä");
    for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
      const { result } = await request(method, { taskId, inputResponses: {} });
      assert.equal(result.taskId, taskId);
      const { message, name } = backend.seen.at(-1) as Backend["seen"][number];
      assert.equal(message.method, method);
      assert.equal(message["params"].taskId, "t:1 ä");
      assert.equal(
        name,
        `=?base64?${btoa(String.fromCharCode(...new TextEncoder().encode("t:1 ä")))}?=`,
      );
    }
  });

  it("are announced to modern clients alone", async () => {
    const { result } = await request("server/discover", {});
    assert.deepEqual(result.capabilities.extensions, { [TASKS]: {} });
    const session = await HttpSession.open(gateway.core.fetch, { headers: await bearer("anna") });
    assert.equal(session.initialized["result"].capabilities.extensions, undefined);
  });

  it("are not begun for clients that take none, of either era", async () => {
    const own = await request("tools/call", { name: "b__long", arguments: {} }, {
      capabilities: {},
    });
    assert.equal(own["result"].resultType, "complete");
    const session = await HttpSession.open(gateway.core.fetch, { headers: await bearer("anna") });
    const { result } = await session.call("b__long");
    assert.deepEqual(result.content, []);
  });

  it("of somebody else, forged, or of a tool that is hidden now, are all unknown", async () => {
    const { taskId } = await begin();
    const reached = backend.seen.length;
    const answers = [
      await request("tasks/get", { taskId }, { sub: "berta" }),
      await request("tasks/get", { taskId: "t:1 ä" }),
      await request("tasks/get", { taskId: `${taskId}x` }),
      await request("tasks/get", { taskId: 7 }),
    ];
    for (const { error } of answers) {
      assert.deepEqual([error.code, error.message], [-32602, "Unknown task"]);
    }
    const hidden = await request("tasks/get", { taskId }, { roles: ["none"] });
    assert.equal(hidden["error"].code, -32602);
    assert.equal(backend.seen.length, reached);
  });
});
