import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { ConfigSchema } from "../../src/contract/mod.ts";
import { edgeHttp, type KeyMemory } from "../../src/hosts/edge/http.ts";
import { refusedUrl, serveHttp, serveTcp } from "../support/http_fixture.ts";
import { serveModern } from "../support/modern_backend.ts";
import { modern } from "../support/modern_http.ts";
import { bindingsOf, startHere } from "./edges.ts";

const get = (url: URL) => ({ method: "GET", url, headers: {} }) as const;

describe("what lasts in an isolate", () => {
  it("is what a backend offers: it is asked once for many requests, and for each call", async () => {
    await using backend = await serveModern();
    const edge = await startHere(bindingsOf({ backends: { newer: backend.url.href } }));
    for (let index = 0; index < 3; index++) {
      await modern(edge.fetch, "tools/list");
      await modern(edge.fetch, "tools/call", { name: "newer__touch", arguments: { uri: "x" } });
    }
    const methods = backend.seen.map(({ message }) => message.method);
    const count = (method: string) => methods.filter((seen) => seen === method).length;
    assert.equal(count("tools/list"), 1);
    assert.equal(count("tools/call"), 3);
    await edge.stop();
  });

  it("is that a backend is away: nobody waits for it again, unless a call needs it", async () => {
    let connections = 0;
    await using gone = await serveTcp((socket) => {
      connections++;
      socket.destroy();
    });
    const edge = await startHere(bindingsOf({ backends: { gone: gone.url.href } }));
    const first = await modern(edge.fetch, "tools/list");
    assert.equal(first.answer["error"].data.code, "NO_BACKEND_READY");
    await edge.stop();
    const tried = connections;
    const next = await modern(edge.fetch, "tools/list");
    assert.equal(next.answer["error"].data.code, "NO_BACKEND_READY");
    assert.equal(connections, tried);
    await edge.stop();
  });
});

describe("HTTP from an isolate", () => {
  it("goes to no host that is not configured", async () => {
    await using other = await serveHttp((_request, response) => void response.end("secret"));
    const config = v.parse(ConfigSchema, { backends: { one: { url: "https://one.example/mcp" } } });
    const http = edgeHttp(config, new Map(), []);
    const expected = { name: "HttpFailure", sent: false };
    await assert.rejects(http.send(get(other.url)), expected);
  });

  it("keys of an issuer that is away are used for an hour, and fetched again when it is back", async () => {
    let text = '{"keys":[]}';
    await using issuer = await serveHttp((_request, response) => void response.end(text));
    const away = await refusedUrl();
    const issuers = [issuer.url.href, away.href].map((url, index) => ({
      issuer: `issuer ${index}`,
      audience: "me",
      jwks_url: url,
    }));
    const config = v.parse(ConfigSchema, { auth: { mode: "jwt", jwt: issuers } });
    const aged = (minutes: number) => ({ text: "old", at: performance.now() - minutes * 60_000 });
    const keys: KeyMemory = new Map([[away.href, aged(59)], [issuer.url.href, aged(59)]]);
    const http = edgeHttp(config, keys, []);
    assert.equal(await (await http.send(get(away))).text(100), "old");
    assert.equal(await (await http.send(get(issuer.url))).text(100), text);
    text = '{"keys":[1]}';
    assert.equal(await (await http.send(get(issuer.url))).text(100), '{"keys":[]}');
    keys.set(away.href, aged(61));
    await assert.rejects(http.send(get(away)), { name: "HttpFailure" });
  });
});
