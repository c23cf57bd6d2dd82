import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Listener, serve } from "../../src/hosts/serve.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { exchange, statusOf } from "../support/raw_socket.ts";
import { RUNTIME } from "../support/runtime.ts";

type Expected = number | readonly number[];

const HOST = "Host: 127.0.0.1\r\n";
const END = "Connection: close\r\n\r\n";

/** What each runtime's own parser answers, where it decides before we see anything (trust.md A7, T02). */
const PARSER: Readonly<
  Record<
    string,
    {
      readonly bytes: string;
      readonly node: Expected;
      readonly deno: Expected;
      readonly bun: Expected;
    }
  >
> = {
  "content-length and transfer-encoding together": {
    bytes:
      `POST /a HTTP/1.1\r\n${HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n${END}0\r\n\r\n`,
    node: 400,
    deno: 400,
    bun: 400,
  },
  "two different content-lengths": {
    bytes: `POST /a HTTP/1.1\r\n${HOST}Content-Length: 4\r\nContent-Length: 5\r\n${END}abcde`,
    node: 400,
    deno: 400,
    bun: 400,
  },
  "a signed content-length": {
    bytes: `POST /a HTTP/1.1\r\n${HOST}Content-Length: +5\r\n${END}abcde`,
    node: 400,
    deno: 400,
    bun: 400,
  },
  "an unknown transfer-encoding": {
    bytes: `POST /a HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n${END}0\r\n\r\n`,
    node: 400,
    deno: 400,
    bun: 400,
  },
  "a space before the colon": {
    bytes: `GET /a HTTP/1.1\r\n${HOST}X : 1\r\n${END}`,
    node: 400,
    deno: 400,
    bun: 400,
  },
  "a NUL in a header": {
    bytes: `GET /a HTTP/1.1\r\n${HOST}X: a\0b\r\n${END}`,
    node: 400,
    deno: 400,
    bun: 400,
  },
  "a folded header": {
    bytes: `GET /a HTTP/1.1\r\n${HOST}X: a\r\n b\r\n${END}`,
    node: 400,
    deno: 400,
    bun: 400,
  },
  "line ends without carriage return": {
    bytes: `GET /a HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\n`,
    node: 400,
    deno: 200,
    bun: [400, 505],
  },
};

describe("listener", () => {
  let listener: Listener;
  const paths: string[] = [];
  const addresses: (string | undefined)[] = [];

  before(async () => {
    listener = await serve({
      hostname: "127.0.0.1",
      port: 0,
      maxBodyBytes: 1024,
      clock: new FakeClock(),
      handle: async (incoming, peer) => {
        paths.push(incoming.target);
        addresses.push(peer?.address);
        const body = await incoming.body(1024).catch(() => undefined);
        const status = body === undefined ? 400 : 200;
        return { status, headers: {}, body: new TextDecoder().decode(body) };
      },
      fetch: async (request, peer) => {
        paths.push(new URL(request.url).pathname);
        addresses.push(peer?.address);
        return new Response(await request.text());
      },
    });
  });
  after(async () => {
    await listener.close();
  });

  for (const [name, row] of Object.entries(PARSER)) {
    it(`${name} is answered by the runtime as written down`, async () => {
      const status = await statusOf(listener.port, row.bytes);
      const expected = row[RUNTIME];
      assert.ok([expected].flat().includes(status), `${RUNTIME} answered ${status}`);
    });
  }

  it("a Host that would rewrite the route is refused before routing", async () => {
    for (
      const host of [
        "a/manage/v1/shutdown?",
        "a#",
        "a\\b",
        "user@a",
        "a b",
        "",
        "a, b",
        "[::1",
        "a:99999999",
      ]
    ) {
      paths.length = 0;
      const status = await statusOf(
        listener.port,
        `GET /health HTTP/1.1\r\nHost: ${host}\r\n${END}`,
      );
      assert.equal(status, 400, `Host: ${host}`);
      assert.deepEqual(paths, []);
    }
  });

  it("none and two Host headers are refused", async () => {
    assert.equal(await statusOf(listener.port, `GET /a HTTP/1.1\r\n${END}`), 400);
    assert.equal(
      await statusOf(listener.port, `GET /a HTTP/1.1\r\n${HOST}Host: evil\r\n${END}`),
      400,
    );
  });

  it("a health check of HTTP/1.0 without Host is served, and nothing else is without one", async () => {
    const status = (head: string) => statusOf(listener.port, `${head} HTTP/1.0\r\n\r\n`);
    for (const path of ["/health", "/ready"]) {
      paths.length = 0;
      assert.equal(await status(`GET ${path}`), 200);
      assert.equal(await status(`HEAD ${path}`), 200);
      assert.deepEqual(paths, [path, path]);
    }
    const others = [
      "POST /ready",
      "GET /ready?a",
      "GET /ready/",
      "GET //ready",
      "GET /mcp",
      "GET /",
    ];
    paths.length = 0;
    for (const head of others) assert.equal(await status(head), 400, head);
    assert.deepEqual(paths, []);
    const later = await statusOf(listener.port, `GET /ready HTTP/1.1\r\n${END}`);
    assert.equal(later, RUNTIME === "deno" ? 200 : 400);
  });

  it("an absolute target must name the same authority as Host, or is overruled by it", async () => {
    const get = (target: string) =>
      statusOf(listener.port, `GET ${target} HTTP/1.1\r\n${HOST}${END}`);
    // Bun builds the URL from Host alone: what we check is what is routed.
    assert.equal(await get("http://evil.example/a"), RUNTIME === "bun" ? 200 : 400);
    assert.equal(await get("http://127.0.0.1/a"), 200);
  });

  it("a usable request arrives with its path as sent", async () => {
    paths.length = 0;
    assert.equal(await statusOf(listener.port, `GET /a/b HTTP/1.1\r\n${HOST}${END}`), 200);
    assert.deepEqual(paths, ["/a/b"]);
    assert.equal(addresses.at(-1), "127.0.0.1");
  });

  it("headers beyond 16 kB are refused", async () => {
    const get = (length: number) =>
      statusOf(listener.port, `GET /a HTTP/1.1\r\n${HOST}X: ${"x".repeat(length)}\r\n${END}`);
    assert.equal(await get(20_000), 431);
    assert.equal(await get(15_000), 200);
  });

  it("a request behind a refused one on the same connection is never executed", async () => {
    paths.length = 0;
    const smuggled =
      `POST /a HTTP/1.1\r\n${HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /second HTTP/1.1\r\n${HOST}${END}`;
    await exchange(listener.port, smuggled);
    assert.ok(!paths.includes("/second"), paths.join());
  });
});
