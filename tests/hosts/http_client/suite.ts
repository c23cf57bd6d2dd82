/** What every `HttpClient` must do, tried against real servers. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { HttpFailure } from "../../../src/contract/mod.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "../../../src/ports/http_client.ts";
import {
  bodyOf,
  clientGone,
  gate,
  type HttpFixture,
  type HttpHandler,
  refusedUrl,
  serveHttp,
  serveTcp,
} from "../../support/http_fixture.ts";

const LIMIT = 1_000_000;
const CHUNK = "x".repeat(16_384);

export interface ClientCase {
  readonly name: string;
  readonly create: () => HttpClient | Promise<HttpClient>;
}

export function httpClientSuite({ name, create }: ClientCase): void {
  describe(name, () => {
    let client: HttpClient;
    const fixtures: HttpFixture[] = [];
    const serve = async (handler: HttpHandler): Promise<URL> => {
      const fixture = await serveHttp(handler);
      fixtures.push(fixture);
      return fixture.url;
    };
    before(async () => {
      client = await create();
    });
    after(async () => {
      await client.close();
      for (const { close } of fixtures) await close();
    });

    it("sends method, headers and body as given and shows the answer", async () => {
      const url = await serve(async (request, response) => {
        const seen = {
          method: request.method,
          url: request.url,
          key: request.headers["x-key"],
          encoding: request.headers["accept-encoding"],
          body: await bodyOf(request),
        };
        response.writeHead(201, { "Content-Type": "application/json", "X-Two": "yes" });
        response.end(JSON.stringify(seen));
      });
      const target = new URL("/a?b=c", url);
      const response = await client.send(
        post(target, { body: '{"ä":1}', headers: { "x-key": "k" } }),
      );
      assert.equal(response.status, 201);
      assert.equal(response.header("x-two"), "yes");
      assert.equal(response.header("X-TWO"), "yes");
      assert.equal(response.header("x-three"), undefined);
      assert.deepEqual(JSON.parse(await response.text(LIMIT)), {
        method: "POST",
        url: "/a?b=c",
        key: "k",
        encoding: "identity",
        body: '{"ä":1}',
      });
    });

    it("sends GET and DELETE without a body", async () => {
      const url = await serve(async (request, response) => {
        response.end(`${request.method} ${(await bodyOf(request)).length}`);
      });
      for (const method of ["GET", "DELETE"] as const) {
        const response = await client.send({ method, url, headers: {} });
        assert.equal(await response.text(LIMIT), `${method} 0`);
      }
    });

    it("uses connections again", async () => {
      const ports = new Set<number | undefined>();
      const url = await serve((request, response) => {
        ports.add(request.socket.remotePort);
        response.end("ok");
      });
      for (let turn = 0; turn < 6; turn++) await textOf(client.send(post(url)));
      // undici looks for a free one a turn of the event loop late, and then alternates between two.
      assert.ok(ports.size <= 2, `${ports.size} connections for 6 requests`);
    });

    it("says not sent when the connection is refused", async () => {
      const failure = await failureOf(client.send(post(await refusedUrl())));
      assert.equal(failure.sent, false);
      assert.equal(failure.message, "connection refused");
    });

    it("says not sent when the host name does not exist", async () => {
      const failure = await failureOf(
        client.send(post(new URL("http://nowhere.invalid/?key=secret"))),
      );
      assert.equal(failure.sent, false);
      assert.doesNotMatch(failure.message, /secret/);
    });

    it("says perhaps sent when the connection ends before the answer", async () => {
      const url = await serve((request) => void request.socket.destroy());
      const failure = await failureOf(client.send(post(url)));
      assert.equal(failure.sent, true);
    });

    it("fails reading when the connection ends within a body of known length", async () => {
      const url = await serve((request, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("part", () => request.socket.destroy());
      });
      const failure = await failureOf(textOf(client.send(post(url))));
      assert.deepEqual([failure.sent, failure.unusable], [true, false]);
    });

    it("fails reading when the connection ends within a body of unknown length", async () => {
      const hang = gate();
      const url = await serve(async (request, response) => {
        response.write("part");
        await hang.passed;
        request.socket.destroy();
      });
      const response = await client.send(post(url));
      const seen: string[] = [];
      const failure = await failureOf(response.read((chunk) => {
        seen.push(new TextDecoder().decode(chunk));
        hang.open();
      }));
      assert.deepEqual(seen, ["part"]);
      assert.equal(failure.sent, true);
    });

    it("hands a slow body on as it comes", async () => {
      const first = gate();
      const url = await serve(async (_request, response) => {
        response.write("one");
        await first.passed;
        response.end("two");
      });
      const response = await client.send(post(url));
      const seen: string[] = [];
      await response.read((chunk) => {
        seen.push(new TextDecoder().decode(chunk));
        first.open();
      });
      assert.deepEqual(seen, ["one", "two"]);
    });

    it("keeps a body that is read late", async () => {
      const body = CHUNK.repeat(20);
      const sent = gate();
      const url = await serve((_request, response) => {
        response.write(body.slice(1));
        response.write("x", sent.open);
        response.end();
      });
      const response = await client.send(post(url));
      await Promise.race([sent.passed, new Promise((resolve) => setTimeout(resolve, 50))]);
      assert.equal(await response.text(LIMIT), body);
    });

    it("ends the exchange when it is aborted before the answer", async () => {
      const [arrived, gone] = [gate(), gate()];
      const url = await serve((request, response) => {
        request.resume();
        arrived.open();
        void clientGone(response).then(gone.open);
      });
      const abort = new AbortController();
      const failed = failureOf(client.send(post(url, { signal: abort.signal })));
      await arrived.passed;
      abort.abort();
      assert.equal((await failed).sent, true);
      await gone.passed;
    });

    it("ends the exchange when it is aborted while the body is read", async () => {
      const gone = gate();
      const url = await serve((_request, response) => {
        response.write("one");
        void clientGone(response).then(gone.open);
      });
      const abort = new AbortController();
      const response = await client.send(post(url, { signal: abort.signal }));
      await failureOf(response.read(() => abort.abort()));
      await gone.passed;
    });

    it("sends nothing when it is aborted before it starts", async () => {
      let requests = 0;
      const url = await serve((_request, response) => {
        requests++;
        response.end();
      });
      await failureOf(client.send(post(url, { signal: AbortSignal.abort() })));
      await textOf(client.send(post(url)));
      assert.equal(requests, 1);
    });

    it("ends the exchange when the reader throws", async () => {
      const gone = gate();
      const url = await serve((_request, response) => {
        response.write("one");
        void clientGone(response).then(gone.open);
      });
      const response = await client.send(post(url));
      const reading = response.read(() => {
        throw new RangeError("enough");
      });
      await assert.rejects(reading, RangeError);
      await gone.passed;
    });

    it("ends the exchange when the body is not wanted", async () => {
      const gone = gate();
      const url = await serve((_request, response) => {
        response.write("one");
        void clientGone(response).then(gone.open);
      });
      (await client.send(post(url))).discard();
      await gone.passed;
    });

    it("does not follow a redirect", async () => {
      const paths: (string | undefined)[] = [];
      const url = await serve((request, response) => {
        paths.push(request.url);
        response.writeHead(307, { location: "/other" }).end();
      });
      const response = await client.send(post(url));
      response.discard();
      assert.equal(response.status, 307);
      assert.deepEqual(paths, ["/"]);
    });

    it("refuses a body that is announced too long", async () => {
      const url = await serve((_request, response) => void response.end("x".repeat(11)));
      const failure = await failureOf(textOf(client.send(post(url)), 10));
      assert.equal(failure.unusable, true);
    });

    it("stops an endless body at the limit", async () => {
      const gone = gate();
      const url = await serve((_request, response) => {
        const fill = () => {
          while (!response.destroyed && response.write(CHUNK));
        };
        response.on("drain", fill);
        fill();
        void clientGone(response).then(gone.open);
      });
      const failure = await failureOf(textOf(client.send(post(url))));
      assert.equal(failure.unusable, true);
      await gone.passed;
    });

    it("takes a body of exactly the limit", async () => {
      const url = await serve((_request, response) => {
        response.write("x".repeat(5));
        response.end("y".repeat(5));
      });
      assert.equal(await textOf(client.send(post(url)), 10), "xxxxxyyyyy");
    });

    it("puts characters together that arrive in parts", async () => {
      const [head, tail] = [new Uint8Array([0xe2, 0x82]), new Uint8Array([0xac])];
      const url = await serve((_request, response) => {
        response.write(head, () => response.end(tail));
      });
      assert.equal(await textOf(client.send(post(url))), "€");
    });

    it("refuses a body that is not UTF-8", async () => {
      for (const known of [true, false]) {
        const url = await serve((_request, response) => {
          if (!known) response.flushHeaders();
          response.end(new Uint8Array([0x22, 0xff, 0x22]));
        });
        const failure = await failureOf(textOf(client.send(post(url))));
        assert.equal(failure.unusable, true);
      }
    });

    it("shows that an answer is compressed", async () => {
      const url = await serve((_request, response) => {
        response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("{}"));
      });
      const response = await client.send(post(url));
      response.discard();
      assert.equal(response.header("content-encoding"), "gzip");
    });

    it("sends a request once even when a used connection ends before the answer", async () => {
      const seen: string[] = [];
      await using server = await serveTcp((socket) => {
        let answers = 0;
        socket.on("data", (data) => {
          const name = /call-\d/.exec(String(data))?.[0];
          if (name === undefined) return;
          seen.push(name);
          if (answers++ > 0) socket.destroy();
          else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        });
      });
      for (let call = 0; call < 4; call++) {
        await textOf(client.send(post(server.url, { body: `call-${call}` }))).catch((error) => {
          assert.ok(error instanceof HttpFailure && error.sent);
        });
      }
      assert.deepEqual(seen, ["call-0", "call-1", "call-2", "call-3"]);
    });

    it("carries many exchanges at once", async () => {
      const url = await serve(async (request, response) =>
        void response.end(await bodyOf(request))
      );
      const bodies = Array.from({ length: 50 }, (_, index) => `body ${index}`);
      const answers = bodies.map((body) => textOf(client.send(post(url, { body, queued: true }))));
      assert.deepEqual(await Promise.all(answers), bodies);
    });
  });
}

function post(url: URL, more: Partial<HttpRequest> = {}): HttpRequest {
  return { method: "POST", url, headers: {}, body: "hello", ...more };
}

async function textOf(sent: Promise<HttpResponse>, maxBytes = LIMIT): Promise<string> {
  return await (await sent).text(maxBytes);
}

async function failureOf(promise: Promise<unknown>): Promise<HttpFailure> {
  try {
    await promise;
  } catch (thrown) {
    assert.ok(thrown instanceof HttpFailure, `wanted an HttpFailure, got ${String(thrown)}`);
    return thrown;
  }
  assert.fail("wanted a failure");
}
