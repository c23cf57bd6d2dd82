/** Attacks on a gateway that runs, over its sockets (trust.md 5). */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { stringify } from "smol-toml";
import { secretKey, tokenOf } from "../core/auth/tokens.ts";
import { seeded } from "../core/catalog/support.ts";
import { fixtureBackend } from "../support/core.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { bodyOf, type HttpFixture, serveHttp } from "../support/http_fixture.ts";
import { HttpSession, messagesOf, overHttp, post, type Rpc } from "../support/http_session.ts";
import { exchange } from "../support/raw_socket.ts";
import { proves } from "../support/proves.ts";
import { until } from "./until.ts";

const LIMIT_MS = 20_000;
const SEED = Math.floor(Math.random() * 2 ** 32);
const random = seeded(SEED);
const word = () => `w${Math.floor(random() * 36 ** 8).toString(36)}`;

const SECRET = `${word()}${word()}${word()}${word()}${word()}`;
const [ANNA, BERT] = [word(), word()];
const API_KEY = `key-${word()}-${word()}`;

const PING = { jsonrpc: "2.0", id: 1, method: "ping" };
const REDIRECTS = [301, 302, 303, 307, 308];

interface Seen {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Answers as an MCP server under `/mcp`, and redirects under `/<status>`. */
function serveBackend(seen: Seen[], elsewhere: () => URL): Promise<HttpFixture> {
  const results: Readonly<Record<string, unknown>> = {
    "initialize": {
      protocolVersion: "2025-06-18",
      capabilities: { tools: {} },
      serverInfo: { name: "b", version: "1" },
    },
    "tools/list": { tools: [{ name: "echo", inputSchema: { type: "object" } }] },
    "tools/call": { content: [] },
  };
  return serveHttp(async (request, response) => {
    const status = Number(request.url?.slice(1));
    if (REDIRECTS.includes(status)) {
      return void response.writeHead(status, { location: elsewhere().href }).end();
    }
    const body = await bodyOf(request);
    seen.push({ headers: request.headers, body });
    if (request.method !== "POST") return void response.writeHead(405).end();
    const { id, method = "" } = JSON.parse(body) as Rpc;
    if (id === undefined) return void response.writeHead(202).end();
    response.writeHead(200, { "content-type": "application/json", "mcp-session-id": "inner" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: results[method] ?? {} }));
  }, "/mcp");
}

describe(`governance of a running gateway (seed ${SEED})`, () => {
  const seen: Seen[] = [];
  const strangers: string[] = [];
  let backend: HttpFixture;
  let stranger: HttpFixture;
  let gateway: Gateway;
  let anna: Record<string, string>;
  let bert: Record<string, string>;

  before(async () => {
    stranger = await serveHttp((request, response) => {
      strangers.push(`${request.method} ${request.url}`);
      response.writeHead(200).end("{}");
    }, "/mcp");
    backend = await serveBackend(seen, () => stranger.url);
    const web = (path: string) => ({
      url: new URL(path, backend.url).href,
      headers: { "X-Api-Key": "${env:API_KEY}" },
    });
    gateway = await startGateway(
      stringify({
        server: { trusted_proxies: ["127.0.0.1/32"], deny_addresses: ["203.0.113.0/24"] },
        auth: { mode: "jwt", jwt: [{ issuer: "idp", audience: "me", secret: "${env:SECRET}" }] },
        roles: { default: { tools: ["*"], resources: ["*"] } },
        toolsets: { small: { tools: ["*"] } },
        backends: {
          fix: fixtureBackend(),
          web: web("/mcp"),
          ...Object.fromEntries(REDIRECTS.map((status) => [`r${status}`, web(`/${status}`)])),
        },
      }),
      { env: { SECRET, API_KEY } },
    );
    const bearer = async (sub: string) => {
      const claims = { aud: "me", sub };
      const key = secretKey("HS256", SECRET);
      const token = await tokenOf(key, { issuer: "idp", now: Date.now(), claims });
      return { authorization: `Bearer ${token}` };
    };
    anna = await bearer(ANNA);
    bert = await bearer(BERT);
    const session = await open(anna);
    await until(async () => {
      const { tools } = (await session.request("tools/list"))["result"];
      for (const name of ["fix__echo", "web__echo"]) {
        assert.ok(tools.some((tool: Rpc) => tool["name"] === name), name);
      }
    }, LIMIT_MS);
  });
  after(async () => {
    await gateway.stop();
    await backend.close();
    await stranger.close();
  });

  const open = (headers: Record<string, string>) =>
    HttpSession.open(overHttp(gateway.url), { headers });

  const managed = async (path: string) => {
    const headers = { authorization: `Bearer ${gateway.token}` };
    return await (await fetch(gateway.managementUrl + path, { headers })).json();
  };

  /** Bytes on the socket of the data plane, or of the control plane. */
  const raw = (lines: readonly string[], url = gateway.url) => {
    const { host, port } = new URL(url);
    const [first = "", ...rest] = lines;
    const head = [first, `Host: ${host}`, "Connection: close", ...rest, "", ""];
    return exchange(Number(port), head.join("\r\n"), isWhole);
  };
  const statusOf = (answer: string) => Number(/^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1] ?? 0);

  it("all bad tokens are one answer, and the scheme has no case (T15)", async () => {
    const key = secretKey("HS256", SECRET);
    const now = Date.now();
    const base = { issuer: "idp", now };
    const seconds = Math.floor(now / 1000);
    const make = (claims: Record<string, unknown>, header: Record<string, unknown> = {}) =>
      tokenOf(key, { ...base, header, claims: { aud: "me", sub: ANNA, ...claims } });
    const good = await make({});
    const bad = [
      await make({ exp: seconds - 60 }),
      await make({ exp: undefined }),
      await make({ exp: String(seconds + 60) }),
      await make({ nbf: seconds + 60 }),
      await make({ aud: "you" }),
      await make({ aud: undefined }),
      await make({ iss: "other" }),
      await make({ sub: undefined }),
      await make({}, { alg: "none" }),
      await make({}, { alg: "RS256" }),
      await make({}, { crit: ["exp"] }),
      await make({}, { kid: "../../x' OR 1" }),
      await make({ filler: "x".repeat(9000) }),
      await tokenOf(secretKey("HS256", word().repeat(5)), { ...base, claims: { aud: "me" } }),
      `${good.slice(0, good.lastIndexOf("."))}.`,
      word(),
    ];
    const send = async (authorization: string) => {
      const answer = await post(overHttp(gateway.url), PING, { authorization });
      return `${answer.status} ${anonymous(await answer.text())}`;
    };
    const answers = new Set<string>();
    for (const token of bad) answers.add(await send(`Bearer ${token}`));
    const [only = ""] = answers;
    assert.equal(answers.size, 1, [...answers].join("\n"));
    assert.match(only, /^401 .*-31001/);
    for (const scheme of ["Bearer", "bearer", "BEARER"]) {
      assert.match(await send(`${scheme} ${good}`), /^400 /, "signed in, but without a session");
    }
  });

  it("a weak secret is no secret: the start is refused (T15)", async () => {
    const jwt = [{ issuer: "idp", audience: "me", secret: "${env:SECRET}" }];
    const toml = stringify({ auth: { mode: "jwt", jwt } });
    const started = startGateway(toml, { env: { SECRET: "abc" } });
    await assert.rejects(started, /"code":78/);
  });

  it("who calls is who the token names, whatever else says otherwise (T16)", async () => {
    const root = `root-${word()}`;
    const told = { "x-user": root, "x-forwarded-user": root, "x-remote-user": root, "from": root };
    const session = await HttpSession.open(overHttp(`${gateway.url}?user=${root}`), {
      headers: { ...anna, ...told, "cookie": `user=${root}` },
    });
    const params = { name: "fix__echo", arguments: {}, _meta: { user: root, sub: root } };
    assert.equal((await session.request("tools/call", params))["error"], undefined);
    await until(async () => {
      const { items } = await managed("/manage/v1/audit?limit=100") as Rpc;
      const calls = items.filter(({ name }: Rpc) => name === "fix__echo");
      assert.ok(calls.length > 0);
      for (const { principal } of calls) {
        assert.ok(principal.includes(ANNA), principal);
        assert.ok(!principal.includes(root), principal);
      }
    }, LIMIT_MS);
  });

  proves("U3", "a row of the audit has the client's address behind the proxy", async () => {
    const session = await open({ ...anna, "x-forwarded-for": "203.0.113.9, 198.51.100.23" });
    await session.call("fix__echo", { mark: word() });
    await until(async () => {
      const { items } = await managed("/manage/v1/audit?limit=100") as Rpc;
      assert.ok(items.some(({ address }: Rpc) => address === "198.51.100.23"));
    }, LIMIT_MS);
  });

  proves("U3", "a denied address hears 403 before its body is read, and no more", async () => {
    const answer = await raw([
      "POST /mcp HTTP/1.1",
      "X-Forwarded-For: 203.0.113.9",
      "Content-Type: application/json",
      "Content-Length: 1000000",
    ]);
    assert.equal(statusOf(answer), 403);
    assert.match(answer, /"ADDRESS_REFUSED"/);
    await until(async () => {
      const { items } = await managed("/manage/v1/audit?limit=1000") as Rpc;
      const [row] = items.filter(({ error }: Rpc) => error === "ADDRESS_REFUSED");
      assert.equal(row?.address, "203.0.113.9");
    }, LIMIT_MS);
    assert.match(answer, /\r\nconnection: close\r\n/i);
  });

  it("no header of a client reaches a backend, only what is configured (T19)", async () => {
    const told = {
      ...anna,
      "cookie": "session=secret",
      "x-forwarded-for": "198.51.100.7",
      "x-forwarded-host": "evil.example",
      "forwarded": "for=198.51.100.7",
      "mcp-init-host": "evil.example",
      "proxy-authorization": "Basic secret",
      "x-sentinel-principal": "root",
      "x-sentinel-request": "1",
    };
    const session = await open(told);
    const before = seen.length;
    assert.equal((await session.call("web__echo", {}))["error"], undefined);
    assert.ok(seen.length > before);
    for (const { headers } of seen) {
      assert.equal(headers["x-api-key"], API_KEY);
      assert.equal(headers["host"], backend.url.host);
      for (const name of Object.keys(told)) assert.equal(headers[name], undefined, name);
    }
    assert.ok(!JSON.stringify(seen).includes((anna["authorization"] as string).slice(7)));
  });

  it("another principal's session is as unknown as one that never was (T21)", async () => {
    const victim = await open(anna);
    const stream = await victim.get();
    const stolen = { ...victim.headers, ...bert };
    const invented = { ...stolen, "mcp-session-id": "f".repeat(32) };
    const attempts = async (headers: Record<string, string>) => {
      const answers: string[] = [];
      for (
        const init of [
          { method: "GET", headers: { ...headers, accept: "text/event-stream" } },
          {
            method: "GET",
            headers: { ...headers, "accept": "text/event-stream", "last-event-id": "1-1_1" },
          },
          { method: "DELETE", headers },
        ]
      ) {
        const answer = await fetch(gateway.url, init);
        answers.push(`${answer.status} ${anonymous(await answer.text())}`);
      }
      const posted = await post(overHttp(gateway.url), PING, headers);
      return [...answers, `${posted.status} ${anonymous(await posted.text())}`];
    };
    const answers = await attempts(stolen);
    assert.deepEqual(answers, await attempts(invented));
    for (const answer of answers) assert.match(answer, /^404 /);
    // The owner's stream is still the one there is, and its session answers.
    assert.equal((await victim.get()).status, 409);
    assert.equal((await victim.send("ping")).status, 200);
    await stream.body?.cancel();
  });

  it("progress and subscriptions of another principal stay with that one (T23)", async () => {
    const [one, other] = [await open(anna), await open(bert)];
    const progressToken = word();
    const call = async (session: HttpSession, steps: number) =>
      await messagesOf(
        await session.send("tools/call", {
          name: "fix__progress",
          arguments: { steps },
          _meta: { progressToken },
        }),
      );
    const [mine, theirs] = await Promise.all([call(one, 3), call(other, 5)]);
    const totals = (messages: readonly Rpc[]) =>
      new Set(messages.flatMap(({ params }) => params === undefined ? [] : [params.total]));
    assert.deepEqual([totals(mine), totals(theirs)], [new Set([3]), new Set([5])]);

    const stream = await other.get();
    const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
    let text = "";
    const reading = (async () => {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        text += new TextDecoder().decode(value);
      }
    })();
    const uri = "fixture://one";
    assert.deepEqual((await one.request("resources/subscribe", { uri }))["result"], {});
    for (const method of ["tasks/list", "tasks/get", "tasks/cancel", "subscriptions/listen"]) {
      const { error } = await other.request(method, { taskId: word() });
      assert.equal(error.code, -32601, method);
    }
    await other.request("ping");
    await other.delete();
    await reading;
    assert.ok(!text.includes("resources/updated"), text);
  });

  it("names are no paths: not in a request (T26)", async () => {
    const names = ["../../etc/passwd", "..%2f..%2fetc", "%00", "x".repeat(300), "CON", "."];
    for (const name of names) {
      const authorization = `Authorization: ${anna["authorization"]}`;
      const toolset = await raw([`GET /mcp/${name} HTTP/1.1`, authorization]);
      assert.ok([400, 404, 406].includes(statusOf(toolset)), `${name}: ${statusOf(toolset)}`);
      const accept = "Accept: application/json, text/event-stream";
      const session = await raw([
        "GET /mcp HTTP/1.1",
        authorization,
        accept,
        `Mcp-Session-Id: ${name}`,
      ]);
      assert.equal(statusOf(session), 404, name);
      const operator = `Authorization: Bearer ${gateway.token}`;
      const path = `/manage/v1/backends/${name}`;
      const managed = await raw([`GET ${path} HTTP/1.1`, operator], gateway.managementUrl);
      assert.ok([400, 404].includes(statusOf(managed)), `${path}: ${statusOf(managed)}`);
    }
  });

  it("names are no paths: not in the configuration (T26)", async () => {
    for (const name of ["../x", "a/b", "..", "x\0y", "x".repeat(300), "nul", "", " ", "-x"]) {
      const toml = stringify({ backends: { [name]: fixtureBackend() } });
      await assert.rejects(
        startGateway(toml),
        /sentinel\.toml:\d+:\d+|line \d+|"line": *\d+/,
        name,
      );
    }
  });

  it("a page of another site has no effect and gets no permission (T28)", async () => {
    const { host } = new URL(gateway.url);
    const shapes: [string[], number[]][] = [
      [["POST /mcp HTTP/1.1", "Origin: https://evil.example", "Content-Type: text/plain"], [403]],
      [["POST /mcp HTTP/1.1", "Origin: null"], [403]],
      [["POST /mcp HTTP/1.1", "Sec-Fetch-Site: cross-site"], [403]],
      [["GET /sse HTTP/1.1", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"], [403]],
      [[`GET http://evil.example/mcp HTTP/1.1`], [400, 401]],
      [["OPTIONS /mcp HTTP/1.1", "Origin: https://evil.example"], [403]],
      [["OPTIONS /mcp HTTP/1.1", `Authorization: ${anna["authorization"]}`], [405]],
      [["PATCH /mcp/small HTTP/1.1", `Authorization: ${anna["authorization"]}`], [405]],
      [["PUT /sse HTTP/1.1", `Authorization: ${anna["authorization"]}`], [405]],
      // Some runtimes answer these themselves, or with the end of the connection.
      [["TRACE /mcp HTTP/1.1", `Authorization: ${anna["authorization"]}`], [400, 405, 501]],
      [[`CONNECT ${host} HTTP/1.1`], [0, 400, 401, 404, 405, 501]],
      [["GET /mcp HTTP/1.1", `Authorization: ${anna["authorization"]}`, "Content-Length: 2"], [
        400,
      ]],
    ];
    for (const url of [gateway.url, gateway.managementUrl]) {
      for (const [lines, statuses] of shapes) {
        const answer = await raw(lines, url);
        const about = `${lines.join(" | ")} at ${url}: ${answer}`;
        if (url === gateway.url) assert.ok(statuses.includes(statusOf(answer)), about);
        else assert.ok(statusOf(answer) !== 200, about);
        assert.doesNotMatch(answer, /access-control/i, about);
        if (statusOf(answer) === 405) assert.match(answer, /\r\nallow: /i, about);
      }
    }
  });

  it("a redirect of a backend is an error, never a request (T30)", async () => {
    await until(async () => {
      const { items } = await managed("/manage/v1/backends") as Rpc;
      for (const status of REDIRECTS) {
        const found = items.find(({ name }: Rpc) => name === `r${status}`);
        assert.match(found.lastError ?? "", /redirect/i, `${status}: ${JSON.stringify(found)}`);
      }
    }, LIMIT_MS);
    assert.deepEqual(strangers, []);
  });

  it("who is not configured is not listed, whatever a backend calls itself (T35)", async () => {
    const { items } = await managed("/manage/v1/backends") as Rpc;
    const names = items.map(({ name }: Rpc) => name).toSorted();
    assert.deepEqual(names, [...REDIRECTS.map((status) => `r${status}`), "fix", "web"].toSorted());
    const { tools } = (await (await open(anna)).request("tools/list"))["result"];
    for (const { name } of tools) assert.match(name, /^(fix|web)__/);
  });

  it("clients that leave in the middle leave nothing behind (T55)", async () => {
    const session = await open(anna);
    const message = (id: number) =>
      JSON.stringify({
        jsonrpc: "2.0",
        id,
        method: "tools/call",
        params: { name: "fix__echo", arguments: { left: id } },
      });
    const { host, port } = new URL(gateway.url);
    for (let round = 0; round < 200; round++) {
      const body = message(round);
      const head = [
        "POST /mcp HTTP/1.1",
        `Host: ${host}`,
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        `Content-Length: ${body.length}`,
        ...Object.entries(session.headers).map(([name, value]) => `${name}: ${value}`),
        "",
        body,
      ].join("\r\n");
      await leave(Number(port), head.slice(0, 1 + Math.floor(random() * head.length)));
      if (round % 4 === 0) await leave(Number(port), head);
    }
    assert.equal((await session.call("fix__echo", { still: "here" }))["error"], undefined);
    await until(async () => {
      const { items } = await managed("/manage/v1/backends") as Rpc;
      assert.deepEqual(items.map(({ inFlight }: Rpc) => inFlight), items.map(() => 0));
      const rows = (await managed("/manage/v1/audit?limit=1000") as Rpc)["items"];
      assert.ok(rows.every(({ kind, outcome }: Rpc) => kind !== "call" || outcome !== "unknown"));
    }, LIMIT_MS);
    assert.doesNotMatch(gateway.stderr, /unhandled|call\.defect|"level":"error"[^\n]*"fix"/i);
  });
});

/** Sends some bytes and goes, without waiting for anything. */
function leave(port: number, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port }, () => {
      socket.write(bytes, () => socket.destroy());
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve());
  });
}

/** An answer with its body; Deno keeps a connection open whose request has a body to come. */
function isWhole(text: string): boolean {
  const [head = "", body] = text.split("\r\n\r\n", 2);
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  return body !== undefined && length !== undefined && body.length >= Number(length);
}

function anonymous(text: string): string {
  return text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "REQUEST");
}
