import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { after, before, describe, it } from "node:test";
import { type ConfigInput, fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { bodyOf, type HttpFixture, serveHttp } from "../../support/http_fixture.ts";
import {
  BASE,
  eventsOf,
  HEADERS,
  HttpSession,
  post,
  type Rpc,
} from "../../support/http_session.ts";
import { PipeClient } from "../../support/pipe_client.ts";
import { proves } from "../../support/proves.ts";
import { AUDIENCE, secretKey, tokenOf } from "./tokens.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const KEY = secretKey("HS256", SECRET);
const AUTH: NonNullable<ConfigInput["auth"]> = {
  mode: "jwt",
  jwt: [
    { issuer: "dev", audience: AUDIENCE, secret: SECRET },
    { issuer: "https://idp.example.com", audience: AUDIENCE, jwks_url: "http://127.0.0.1:1/" },
  ],
};
const PING = { jsonrpc: "2.0", id: 1, method: "ping" };

const bearerOf = async (sub: string, claims: Record<string, unknown> = {}, now = Date.now()) => ({
  authorization: `Bearer ${await tokenOf(KEY, { issuer: "dev", now, claims: { sub, ...claims } })}`,
});

/** An MCP server over HTTP that remembers with what headers it was asked. */
function serveBackend(seen: IncomingHttpHeaders[], bodies: string[]): Promise<HttpFixture> {
  const answers: Record<string, unknown> = {
    "initialize": {
      protocolVersion: "2025-06-18",
      capabilities: { tools: {} },
      serverInfo: { name: "b", version: "1" },
    },
    "tools/list": { tools: [{ name: "echo", inputSchema: { type: "object" } }] },
    "tools/call": { content: [] },
  };
  return serveHttp(async (request, response) => {
    seen.push(request.headers);
    if (request.method !== "POST") return void response.writeHead(405).end();
    const text = await bodyOf(request);
    bodies.push(text);
    const { id, method } = JSON.parse(text) as Rpc;
    if (id === undefined) return void response.writeHead(202).end();
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: answers[method ?? ""] ?? {} }));
  });
}

describe("sign-in at the fronts", () => {
  const seen: IncomingHttpHeaders[] = [];
  const bodies: string[] = [];
  let backend: HttpFixture;
  let gateway: TestCore;
  let anna: Record<string, string>;
  let bert: Record<string, string>;

  before(async () => {
    backend = await serveBackend(seen, bodies);
    gateway = await startCore({
      auth: AUTH,
      roles: { default: { tools: ["*"] }, admin: { tools: ["*"] } },
      toolsets: { small: { tools: ["*"] } },
      backends: {
        fix: fixtureBackend(),
        web: { url: backend.url.href, headers: { "x-own": "configured" } },
      },
    });
    anna = await bearerOf("anna");
    bert = await bearerOf("bert");
  });
  after(async () => {
    await gateway.stop();
    await backend.close();
  });

  const send = (method: string, path: string, headers: Record<string, string> = {}) => {
    const body = method === "POST" ? "not even JSON" : undefined;
    const init = { method, headers: { ...HEADERS, ...headers }, ...(body && { body }) };
    return gateway.core.fetch(new Request(BASE + path, init));
  };
  const open = (headers: Record<string, string>) =>
    HttpSession.open(gateway.core.fetch, { headers });

  proves("G4.2", "every path and method needs a token, before anything is parsed", async () => {
    const paths = ["/mcp", "/mcp/small", "/mcp/none", "/sse", "/messages/", "/messages", "/", "/x"];
    for (const path of paths) {
      for (const method of ["GET", "POST", "DELETE", "PUT", "OPTIONS"]) {
        const answer = await send(method, path);
        assert.equal(answer.status, 401, `${method} ${path}`);
        const error = (await answer.json() as Rpc)["error"];
        assert.equal(error.data.code, "UNAUTHENTICATED");
      }
    }
    assert.equal((await send("POST", "/mcp", anna)).status, 400);
    assert.equal((await send("GET", "/x", anna)).status, 404);
    assert.equal((await send("POST", "/mcp", { origin: "https://evil.example" })).status, 403);
  });

  it("a token in the address counts for nothing", async () => {
    const token = (anna["authorization"] as string).slice(7);
    for (const name of ["access_token", "token", "authorization"]) {
      assert.equal((await send("GET", `/sse?${name}=${token}`)).status, 401);
    }
  });

  proves("G4.1", "a signed-in client lists and calls", async () => {
    const session = await open(anna);
    const { tools } = (await session.request("tools/list"))["result"];
    assert.ok(tools.some(({ name }: Rpc) => name === "fix__echo"));
    const { result } = await session.call("fix__echo", { a: 1 }) as Rpc;
    assert.equal(result.content[0].text, '{"a":1}');
  });

  it("the metadata says where to get a token; the challenge says where the metadata is", async () => {
    const metadata = async (path: string) =>
      await (await send("GET", path)).json() as Record<string, unknown>;
    const common = {
      authorization_servers: ["https://idp.example.com"],
      bearer_methods_supported: ["header"],
      resource_name: "mcp-sentinel",
    };
    const place = "/.well-known/oauth-protected-resource";
    assert.deepEqual(await metadata(place), { resource: BASE, ...common });
    assert.deepEqual(await metadata(`${place}/mcp`), { resource: `${BASE}/mcp`, ...common });
    assert.equal((await send("POST", place)).status, 405);
    for (const path of [`${place}/x`, `${place}x`, "/.well-known/oauth-authorization-server"]) {
      assert.equal((await send("GET", path)).status, 404, path);
    }
    for (const [path, of] of [["/mcp", "/mcp"], ["/mcp/small", "/mcp"], ["/sse", ""], ["/", ""]]) {
      const challenge = (await send("GET", path as string)).headers.get("www-authenticate");
      assert.equal(challenge, `Bearer resource_metadata="${BASE}${place}${of}"`);
    }
    const invalid = await send("GET", "/mcp", { authorization: "Bearer x" });
    assert.match(invalid.headers.get("www-authenticate") ?? "", /, error="invalid_token"$/);
  });

  it("a public URL is what the metadata names", async () => {
    const server = { public_url: "https://mcp.example.com/" };
    const other = await startCore({ auth: AUTH, server });
    const place = "/.well-known/oauth-protected-resource/mcp";
    const get = (path: string) =>
      other.core.fetch(new Request(BASE + path, { headers: { host: "mcp.example.com" } }));
    const { resource } = await (await get(place)).json() as Rpc;
    assert.equal(resource, "https://mcp.example.com/mcp");
    const challenge = (await get("/mcp")).headers.get("www-authenticate");
    assert.equal(challenge, `Bearer resource_metadata="https://mcp.example.com${place}"`);
    await other.stop();
  });

  it("there is no metadata while sign-in is off", async () => {
    const other = await startCore({});
    const answer = await other.core.fetch(
      new Request(`${BASE}/.well-known/oauth-protected-resource`, { headers: HEADERS }),
    );
    assert.equal(answer.status, 404);
    await other.stop();
  });

  it("somebody else's session does not exist (T21)", async () => {
    const victim = await open(anna);
    const stream = await victim.get();
    const events = eventsOf(stream);
    const first = await events.next();
    const stolen = { ...victim.headers, ...bert };
    const thief = (method: string, headers = {}) => send(method, "/mcp", { ...stolen, ...headers });
    const unknown = { ...bert, "mcp-session-id": "0".repeat(32) };
    for (
      const [method, headers] of [
        ["GET", { accept: "text/event-stream" }],
        ["GET", { accept: "text/event-stream", "last-event-id": first.value?.id ?? "" }],
        ["DELETE", {}],
      ] as const
    ) {
      const answer = await thief(method, headers);
      assert.equal(answer.status, 404, method);
      const same = await send(method, "/mcp", { ...unknown, ...headers });
      const text = async (response: Response) =>
        (await response.text()).replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "");
      assert.equal(await text(answer), await text(same));
    }
    assert.equal((await post(gateway.core.fetch, PING, stolen)).status, 404);
    // Nothing of it reached the owner: its stream is open, its session answers.
    assert.equal((await victim.send("ping")).status, 200);
    assert.equal((await victim.get()).status, 409);
    await stream.body?.cancel().catch(() => {});
    await events.return(undefined);
  });

  it("somebody else's HTTP+SSE session takes no messages", async () => {
    const stream = await send("GET", "/sse", anna);
    const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
    const text = new TextDecoder().decode((await reader.read()).value);
    const endpoint = /data: (\S+)/.exec(text)?.[1] ?? "";
    const message = (headers: Record<string, string>) =>
      post(gateway.core.fetch, PING, headers, endpoint);
    assert.equal((await message({})).status, 401);
    assert.equal((await message(bert)).status, 404);
    assert.equal((await message(anna)).status, 202);
    await reader.cancel();
  });

  it("a new token of the same subject goes on with the session", async () => {
    const session = await open(anna);
    const newer = await bearerOf("anna", { roles: ["admin"], jti: "2" });
    assert.equal((await session.post(PING, newer)).status, 200);
    const sameName = await bearerOf("anna", { iss: "other" });
    assert.equal((await session.post(PING, sameName)).status, 401);
  });

  it("what callers say about themselves is no identity (T16)", async () => {
    const session = await open(anna);
    const claims = {
      "x-user": "anna",
      "x-forwarded-user": "anna",
      "x-remote-user": "anna",
      "cookie": "user=anna",
    };
    assert.equal(
      (await post(gateway.core.fetch, PING, { ...session.headers, ...bert, ...claims })).status,
      404,
    );
    assert.equal((await post(gateway.core.fetch, PING, claims, "/mcp?user=anna")).status, 401);
  });

  it("streams of an issuer that is gone end with the reload", async () => {
    const config = { auth: AUTH, roles: { default: { tools: ["*"] } } };
    const other = await startCore(config);
    const { fetch, control } = other.core;
    const session = await HttpSession.open(fetch, { headers: anna });
    const stream = eventsOf(await session.get());
    await stream.next();
    const actor = { actor: { name: "test" } };
    other.source.write({ ...config, auth: { ...AUTH, jwt: AUTH.jwt?.slice(1) ?? [] } });
    await control.reload(actor);
    assert.equal((await stream.next()).done, true);
    other.source.write(config);
    await control.reload(actor);
    assert.equal((await session.send("ping")).status, 404);
    await other.stop();
  });

  it("nothing of a client's headers reaches a backend, only what is configured (T19)", async () => {
    const sent = {
      ...anna,
      "cookie": "session=secret",
      "x-forwarded-for": "10.1.2.3",
      "x-forwarded-host": "evil.example",
      "mcp-init-host": "evil.example",
      "proxy-authorization": "Basic secret",
      "x-sentinel-principal": "root",
    };
    const session = await open(sent);
    const before = seen.length;
    assert.ok("result" in await session.call("web__echo", {}));
    assert.ok(seen.length > before);
    for (const headers of seen) {
      assert.equal(headers["x-own"], "configured");
      assert.equal(headers.host, backend.url.host);
      for (const name of Object.keys(sent)) assert.equal(headers[name], undefined, name);
    }
    const token = (anna["authorization"] as string).slice(7);
    assert.ok(!JSON.stringify([seen, bodies]).includes(token));
  });
});

describe("sign-in on a pipe", () => {
  const tokenFor = async (clock: FakeClock) =>
    (await bearerOf("anna", {}, clock.now())).authorization.slice(7);

  it("needs a valid token to begin with", async () => {
    const gateway = await startCore({ auth: AUTH });
    for (const options of [{}, { token: "x" }, { token: "" }]) {
      await assert.rejects(gateway.core.attach(new PipeClient(), options), {
        code: "UNAUTHENTICATED",
      });
    }
    assert.equal(gateway.core.snapshot().sessions, 0);
    await gateway.stop();
  });

  it("serves until the token expires, and refuses each request from then on", async () => {
    const clock = new FakeClock();
    const gateway = await startCore({ auth: AUTH }, { clock });
    const client = new PipeClient();
    const done = gateway.core.attach(client, { token: await tokenFor(clock) });
    await client.initialize();
    assert.ok("result" in await client.request(1, "ping"));
    await clock.advance(700_000);
    const refused = await client.request(2, "ping");
    assert.equal(refused["error"].data.code, "UNAUTHENTICATED");
    client.close();
    await done;
    await gateway.stop();
  });
});
