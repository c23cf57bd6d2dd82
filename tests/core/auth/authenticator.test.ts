import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { type Authenticate, createAuthenticator } from "../../../src/core/auth/authenticator.ts";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { type Config, ConfigSchema } from "../../../src/contract/mod.ts";
import { createFetchClient } from "../../../src/hosts/http_client/fetch_client.ts";
import { Registry } from "../../../src/telemetry/registry.ts";
import type { ConfigInput } from "../../support/core.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { AUDIENCE, createKey, KeyServer, secretKey, tokenOf } from "./tokens.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const KEY = secretKey("HS256", SECRET);

function setUp(input: ConfigInput) {
  const clock = new FakeClock();
  const state: { config: Config } = { config: v.parse(ConfigSchema, input) };
  const authenticate = createAuthenticator({
    config: () => state.config,
    clock,
    http: createFetchClient(),
    log: { write: () => {} },
    telemetry: new Registry(),
  });
  const reload = (changed: ConfigInput) => void (state.config = v.parse(ConfigSchema, changed));
  const bearer = async (claims: Record<string, unknown> = {}, issuer = "one", key = KEY) =>
    `Bearer ${await tokenOf(key, { issuer, now: clock.now(), claims })}`;
  return { clock, authenticate, reload, bearer };
}

const issuer = (name: string, more = {}) => ({
  issuer: name,
  audience: AUDIENCE,
  secret: SECRET,
  ...more,
});
const signIn = (...jwt: ReturnType<typeof issuer>[]): ConfigInput => ({
  auth: { mode: "jwt", jwt },
});

const isKnown = (authenticate: Authenticate, header: string) =>
  !(authenticate(header) instanceof Promise);

describe("createAuthenticator()", () => {
  it("takes everybody for anonymous while sign-in is off, whatever they send", () => {
    const { authenticate } = setUp({});
    assert.equal(authenticate(undefined), ANONYMOUS);
    assert.equal(authenticate("Bearer x"), ANONYMOUS);
  });

  it("gives issuer, subject, roles and end of the token", async () => {
    const { authenticate, bearer, clock } = setUp({
      ...signIn(issuer("one", { clock_skew: "10s" })),
      roles: { admin: {}, guest: {} },
    });
    const exp = Math.floor(clock.now() / 1000) + 60;
    assert.deepEqual(await authenticate(await bearer({ roles: ["guest", "admin"], exp })), {
      id: "one#anna",
      subject: "anna",
      issuer: "one",
      roles: ["admin", "guest"],
      roleKey: "admin guest",
      expiresAt: exp * 1000 + 10_000,
    });
  });

  it("gives no two subjects the same id", async () => {
    const names = ["a", "a#b", "a%23b", "a#"];
    const { authenticate, bearer } = setUp(signIn(...names.map((name) => issuer(name))));
    const ids = new Set<string>();
    for (const name of names) {
      for (const sub of ["x", "b#x", "#x", "%23x"]) {
        ids.add((await authenticate(await bearer({ sub }, name))).id);
      }
    }
    assert.equal(ids.size, 16);
  });

  it("answers at once for a token it has verified, until that expires", async () => {
    const { authenticate, bearer, clock } = setUp(signIn(issuer("one")));
    const header = await bearer();
    const verifying = authenticate(header);
    assert.ok(verifying instanceof Promise);
    const principal = await verifying;
    assert.equal(authenticate(header), principal);
    await clock.advance(629_999);
    assert.equal(authenticate(header), principal);
    await clock.advance(1);
    await assert.rejects(Promise.resolve(authenticate(header)), { code: "UNAUTHENTICATED" });
  });

  it("verifies again after a reload of [auth] or of the roles' names, and only then", async () => {
    const first = signIn(issuer("one"));
    const { authenticate, bearer, reload } = setUp(first);
    const header = await bearer({ roles: ["admin"] });
    assert.deepEqual((await authenticate(header)).roles, ["default"]);
    reload({ ...first, server: { max_request_size: "1MiB" } });
    assert.ok(isKnown(authenticate, header));
    reload({ ...first, roles: { admin: {} } });
    assert.ok(!isKnown(authenticate, header));
    assert.deepEqual((await authenticate(header)).roles, ["admin"]);
    reload({ ...first, roles: { admin: { tools: ["*"] } } });
    assert.ok(isKnown(authenticate, header));
    reload(signIn(issuer("two")));
    await assert.rejects(Promise.resolve(authenticate(header)), { code: "UNAUTHENTICATED" });
  });

  it("a token that was being verified during a reload is not kept", async () => {
    const { authenticate, bearer, reload } = setUp(signIn(issuer("one")));
    const header = await bearer();
    const pending = authenticate(header);
    reload(signIn(issuer("two")));
    assert.throws(() => authenticate(undefined), { code: "UNAUTHENTICATED" });
    await pending;
    await assert.rejects(Promise.resolve(authenticate(header)), { code: "UNAUTHENTICATED" });
  });

  it("keeps the keys of an issuer over a reload", async () => {
    const key = await createKey("ES256", "k");
    await using server = await KeyServer.start([key.jwk]);
    const config = (claim: string): ConfigInput => ({
      auth: {
        mode: "jwt",
        jwt: [{ issuer: "one", audience: AUDIENCE, jwks_url: server.url, roles_claim: claim }],
      },
    });
    const { authenticate, bearer, reload } = setUp(config("a"));
    await authenticate(await bearer({}, "one", key));
    reload(config("b"));
    await authenticate(await bearer({}, "one", key));
    assert.equal(server.fetches, 1);
  });
});
