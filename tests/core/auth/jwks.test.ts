import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { ServerResponse } from "node:http";
import { startCore, type TestCore } from "../../support/core.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { eventually } from "../../support/http_fixture_wire.ts";
import { post } from "../../support/http_session.ts";
import { AUDIENCE, createKey, KeyServer, type SigningKey, tokenOf } from "./tokens.ts";

const ISSUER = "https://idp.example.com";
const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {} },
};
const COOLDOWN_MS = 30_000;
const HOUR_MS = 3_600_000;

describe("keys of an issuer (T25)", () => {
  let clock: FakeClock;
  let server: KeyServer;
  let gateway: TestCore;
  let key: SigningKey;
  let sent = 0;

  beforeEach(async () => {
    clock = new FakeClock();
    key = await createKey("ES256", "first");
    server = await KeyServer.start([key.jwk]);
    const jwt = [{ issuer: ISSUER, audience: AUDIENCE, jwks_url: server.url }];
    gateway = await startCore({ auth: { mode: "jwt", jwt }, sessions: { max: 10_000 } }, { clock });
  });
  afterEach(async () => {
    await gateway.stop();
    await server[Symbol.asyncDispose]();
  });

  /** With a token the gateway has not seen. */
  async function status(by = key, header = {}): Promise<number> {
    const exp = Math.floor(clock.now() / 1000) + 60 + ++sent;
    const parts = { issuer: ISSUER, now: clock.now(), header, claims: { exp } };
    const authorization = `Bearer ${await tokenOf(by, parts)}`;
    return (await post(gateway.core.fetch, INITIALIZE, { authorization })).status;
  }

  /** Lets the server hang; resolves when it was asked. */
  function hang(): Promise<void> {
    const asked = Promise.withResolvers<void>();
    server.behaviour = () => asked.resolve();
    return asked.promise;
  }

  /** The answer, which has to come `ms` after the server was asked and hangs, and not before. */
  async function statusAfter(ms: number, header = {}): Promise<number> {
    const asked = hang();
    let answered = false;
    const answer = status(key, header).finally(() => answered = true);
    await asked;
    await clock.advance(ms - 1);
    assert.ok(!answered);
    await clock.advance(1);
    return await answer;
  }

  const failures = () =>
    gateway.log.filter(({ event }) => event === "issuer.unavailable")
      .map(({ fields }) => String(fields["reason"]));

  it("one fetch serves all tokens, and no token is needed for none", async () => {
    assert.equal(server.fetches, 0);
    const answers = await Promise.all(Array.from({ length: 20 }, () => status()));
    assert.deepEqual([...new Set(answers)], [200]);
    assert.equal(server.fetches, 1);
  });

  it("a new key is accepted as soon as keys may be fetched again", async () => {
    assert.equal(await status(), 200);
    const next = await createKey("ES256", "second");
    server.keys = [next.jwk];
    assert.equal(await status(next), 401);
    await clock.advance(COOLDOWN_MS);
    assert.equal(await status(next), 200);
    assert.equal(await status(), 401, "the key that was withdrawn");
    assert.equal(server.fetches, 2);
  });

  it("keys are renewed beside the requests, so a published key is known before it signs", async () => {
    assert.equal(await status(), 200);
    const next = await createKey("ES256", "second");
    server.keys = [key.jwk, next.jwk];
    await clock.advance(10 * 60_000);
    const fetched = Promise.withResolvers<void>();
    server.behaviour = (response) => {
      server.behaviour = undefined;
      void server.answer(response);
      fetched.resolve();
    };
    assert.equal(await status(), 200);
    await fetched.promise;
    for (let tries = 0; await status(next) !== 200; tries++) assert.ok(tries < 100);
  });

  it("200 keys that do not exist cause one fetch", async () => {
    assert.equal(await status(), 200);
    await clock.advance(COOLDOWN_MS);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => status(key, { kid: `k${index}` })),
    );
    assert.deepEqual([...new Set(answers)], [401]);
    assert.equal(server.fetches, 2);
  });

  const outages: Record<string, [(response: ServerResponse) => void, RegExp]> = {
    "an error": [(response) => void response.writeHead(500).end("{}"), /status 500/],
    "nothing there": [(response) => void response.writeHead(404).end("{}"), /status 404/],
    "something else": [(response) => void response.end("<html>"), /JSON|token|Unexpected/i],
    "no keys": [(response) => void response.end('{"keys":{}}'), /no set of keys/],
    "too many keys": [
      (response) => void response.end(JSON.stringify({ keys: Array(101).fill({ kty: "EC" }) })),
      /more than 100 keys/,
    ],
    "11 MB": [
      (response) => void response.end("x".repeat(11_000_000)),
      /262144|larger|longer|bytes/,
    ],
    "11 MB without a length": [
      (response) => {
        for (let part = 0; part < 11; part++) response.write("x".repeat(1_000_000));
        response.end();
      },
      /262144|larger|longer|bytes/,
    ],
    "a broken answer": [(response) => void response.write("{", () => response.destroy()), /./],
  };
  for (const [about, [behaviour, reason]] of Object.entries(outages)) {
    it(`${about} instead of keys: the known ones work for an hour, others do not`, async () => {
      assert.equal(await status(), 200);
      server.behaviour = behaviour;
      await clock.advance(COOLDOWN_MS);
      assert.equal(await status(key, { kid: "unknown" }), 401);
      assert.match(failures().join(), reason);
      await clock.advance(HOUR_MS);
      assert.equal(await status(), 200);
      await clock.advance(15 * 60_000);
      assert.equal(await status(), 401);
      server.behaviour = undefined;
      await clock.advance(COOLDOWN_MS);
      assert.equal(await status(), 200);
    });
  }

  it("a redirect is not followed", async () => {
    await using elsewhere = await KeyServer.start([key.jwk]);
    server.behaviour = (response) =>
      void response.writeHead(302, { location: elsewhere.url }).end();
    assert.equal(await status(), 401);
    assert.deepEqual([server.fetches, elsewhere.fetches], [1, 0]);
    assert.match(failures().join(), /status 302/);
  });

  it("a server that hangs delays strangers by 40 ms, and nobody with a known key", async () => {
    assert.equal(await status(), 200);
    await clock.advance(COOLDOWN_MS);
    assert.equal(await statusAfter(40, { kid: "unknown" }), 401);
    assert.equal(await status(), 200, "a known key");
    await clock.advance(5000);
    await eventually("the fetch that hung is given up", () => failures().length > 0);
    assert.deepEqual(failures(), ["no answer within 5 s"]);
    assert.equal(await status(key, { kid: "unknown" }), 401, "without another fetch");
    assert.equal(server.fetches, 2);
  });

  it("without any keys yet everybody waits for them, at most 5 s", async () => {
    assert.equal(await statusAfter(5000), 401);
    const reasons = gateway.telemetry.read("sentinel_auth_failures_total")
      .filter(({ value }) => value > 0).map(({ labels }) => labels["reason"]);
    assert.deepEqual(reasons, ["jwks_unavailable"]);
  });

  it("private and secret keys among the published ones verify nothing", async () => {
    const { exportJWK } = await import("jose");
    const { sign } = key;
    assert.ok(!(sign instanceof Uint8Array));
    const secret = { kty: "oct", kid: "first", k: "AAAA", alg: "ES256" };
    server.keys = [{ ...await exportJWK(sign), kid: "first", alg: "ES256" }, secret];
    assert.equal(await status(), 401);
  });
});
