import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startCore, type TestCore } from "../../support/core.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { post } from "../../support/http_session.ts";
import { proves } from "../../support/proves.ts";
import {
  AUDIENCE,
  base64Url,
  createKey,
  KeyServer,
  secretKey,
  type SigningKey,
  signRaw,
  tokenOf,
  type TokenParts,
} from "./tokens.ts";

const ISSUER = "https://idp.example.com";
const DEVELOPMENT = "development";
const SECRET = "0123456789abcdef0123456789abcdef";
const ASYMMETRIC = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;
const SYMMETRIC = ["HS256", "HS384", "HS512"] as const;
const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "t", version: "1" },
  },
};

describe("tokens (T15)", () => {
  const clock = new FakeClock();
  const keys = new Map<string, SigningKey>();
  let server: KeyServer;
  let gateway: TestCore;
  let rsa: SigningKey;

  before(async () => {
    for (const algorithm of ASYMMETRIC) keys.set(algorithm, await createKey(algorithm, algorithm));
    rsa = keys.get("RS256") as SigningKey;
    const second = await createKey("RS256", "second");
    server = await KeyServer.start([second.jwk, ...[...keys.values()].map(({ jwk }) => jwk)]);
    const audience = AUDIENCE;
    gateway = await startCore({
      auth: {
        mode: "jwt",
        jwt: [
          { issuer: ISSUER, audience, jwks_url: server.url, algorithms: [...ASYMMETRIC] },
          { issuer: DEVELOPMENT, audience, secret: SECRET, algorithms: [...SYMMETRIC] },
          { issuer: "plain", audience, jwks_url: server.url },
        ],
      },
    }, { clock });
  });
  after(async () => {
    await gateway.stop();
    await server[Symbol.asyncDispose]();
  });

  const make = (parts: Partial<TokenParts> = {}, key: SigningKey = rsa) =>
    tokenOf(key, { issuer: ISSUER, now: clock.now(), ...parts });
  const seconds = () => Math.floor(clock.now() / 1000);

  async function send(authorization: string | undefined) {
    const headers = authorization === undefined ? {} : { authorization };
    const failures = () =>
      new Map(
        gateway.telemetry.read("sentinel_auth_failures_total").map(({ labels, value }) =>
          [labels["reason"], value] as const
        ),
      );
    const before = failures();
    const response = await post(gateway.core.fetch, INITIALIZE, headers);
    const reasons = [...failures()].filter(([reason, count]) => count !== before.get(reason));
    return {
      status: response.status,
      body: (await response.text()).replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "REQUEST"),
      challenge: response.headers.get("www-authenticate"),
      reason: reasons.map(([reason]) => reason).join(),
    };
  }

  const accepted = async (token: string, about: string) => {
    assert.equal((await send(`Bearer ${token}`)).status, 200, about);
  };

  proves("G4.1", "every algorithm an issuer is configured with is accepted", async () => {
    for (const key of keys.values()) await accepted(await make({}, key), key.algorithm);
    for (const algorithm of SYMMETRIC) {
      const key = secretKey(algorithm, SECRET);
      await accepted(await make({ issuer: DEVELOPMENT }, key), algorithm);
    }
    for (const algorithm of ["RS256", "ES256", "EdDSA"]) {
      const key = keys.get(algorithm);
      await accepted(await make({ issuer: "plain" }, key), `${algorithm} by default`);
    }
  });

  proves("G4.1", "what issuers may write differently is accepted", async () => {
    const cases: Record<string, Partial<TokenParts>> = {
      "no type": { header: { typ: undefined } },
      "an access token": { header: { typ: "at+jwt" } },
      "an access token in capitals": { header: { typ: "AT+JWT" } },
      "a whole media type": { header: { typ: "application/at+jwt" } },
      "no kid where two keys fit": { header: { kid: undefined } },
      "several audiences": { claims: { aud: ["other", AUDIENCE] } },
      "expired within the skew": { claims: { exp: seconds() - 29 } },
      "valid from within the skew": { claims: { nbf: seconds() + 30 } },
      "a fraction of a second": { claims: { exp: seconds() + 0.5 } },
      "roles that are none": { claims: { roles: { admin: true } } },
      "members named like objects' own": { claims: { __proto__: 1, constructor: 2 } },
    };
    for (const [about, parts] of Object.entries(cases)) await accepted(await make(parts), about);
    assert.equal((await send(`bearer   ${await make()}`)).status, 200, "a scheme in lower case");
  });

  it("keys and addresses that a token brings along are not looked at", async () => {
    await using elsewhere = await KeyServer.start([]);
    const own = await createKey("RS256", "RS256");
    const brought = { jku: elsewhere.url, x5u: elsewhere.url, jwk: own.jwk, x5c: ["AAAA"] };
    const before = server.fetches;
    await accepted(await make({ header: brought }), "signed by the issuer");
    const forged = await send(`Bearer ${await make({ header: brought }, own)}`);
    assert.deepEqual([forged.status, forged.reason], [401, "signature"]);
    assert.deepEqual([elsewhere.fetches, server.fetches], [0, before]);
  });

  /** Every wrong header, with the reason operators see. */
  async function wrong(): Promise<[string, string | undefined, string][]> {
    const good = await make();
    const [head = "", payload = "", signature = ""] = good.split(".");
    const stranger = await createKey("RS256", "RS256");
    const claims = { iss: ISSUER, aud: AUDIENCE, sub: "anna", exp: seconds() + 600 };
    const raw = (header: string, body = JSON.stringify(claims)) => signRaw(rsa, header, body);
    const tokens: [string, string, string][] = [
      ["no signature", `${base64Url('{"alg":"none"}')}.${payload}.`, "algorithm"],
      [
        "a public key as secret",
        await make({}, secretKey("HS256", JSON.stringify(rsa.jwk))),
        "algorithm",
      ],
      ["a public key for the one with a secret", await make({ issuer: DEVELOPMENT }), "algorithm"],
      [
        "an algorithm that is not the default",
        await make({ issuer: "plain" }, keys.get("PS256")),
        "algorithm",
      ],
      ["an unknown algorithm", await make({ header: { alg: "XX256" } }), "algorithm"],
      ["another algorithm than the key's", await make({ header: { alg: "PS256" } }), "signature"],
      ["somebody else's key", await make({}, stranger), "signature"],
      [
        "another secret",
        await make({ issuer: DEVELOPMENT }, secretKey("HS256", `x${SECRET}`)),
        "signature",
      ],
      ["an unknown kid", await make({ header: { kid: "nobody" } }), "signature"],
      ["a kid that is a path", await make({ header: { kid: "../../x" } }), "signature"],
      ["a kid that is a query", await make({ header: { kid: "' OR 1" } }), "malformed"],
      ["a long kid", await make({ header: { kid: "k".repeat(201) } }), "malformed"],
      ["an endless kid", await make({ header: { kid: "k".repeat(10_000) } }), "malformed"],
      ["a kid that is a number", await make({ header: { kid: 7 } }), "malformed"],
      [
        "another body",
        `${head}.${base64Url(JSON.stringify({ ...claims, sub: "root" }))}.${signature}`,
        "signature",
      ],
      ["half a signature", good.slice(0, -100), "signature"],
      ["an empty signature", `${head}.${payload}.`, "signature"],
      [
        "another audience",
        await make({ claims: { aud: "https://other.example.com" } }),
        "audience",
      ],
      [
        "the beginning of the audience",
        await make({ claims: { aud: AUDIENCE.slice(0, -1) } }),
        "audience",
      ],
      ["other audiences", await make({ claims: { aud: ["a", "b"] } }), "audience"],
      ["no audience", await make({ claims: { aud: undefined } }), "audience"],
      [
        "an audience of another kind",
        await make({ claims: { aud: { [AUDIENCE]: 1 } } }),
        "audience",
      ],
      ["another issuer", await make({ issuer: "https://evil.example.com" }), "issuer"],
      ["an issuer with a slash more", await make({ issuer: `${ISSUER}/` }), "issuer"],
      ["no issuer", await make({ claims: { iss: undefined } }), "issuer"],
      ["a list of issuers", await make({ claims: { iss: [ISSUER] } }), "issuer"],
      [
        "an issuer that is a member of objects",
        await make({ claims: { iss: "constructor" } }),
        "issuer",
      ],
      ["another issuer's key", await make({ issuer: DEVELOPMENT }, keys.get("ES256")), "algorithm"],
      ["no end", await make({ claims: { exp: undefined } }), "malformed"],
      [
        "an end that is a text",
        await make({ claims: { exp: String(seconds() + 600) } }),
        "malformed",
      ],
      [
        "an end beyond all dates",
        await raw(
          '{"alg":"RS256","kid":"RS256"}',
          JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e400'),
        ),
        "malformed",
      ],
      ["an end beyond the skew", await make({ claims: { exp: seconds() - 31 } }), "expired"],
      ["an end at the skew", await make({ claims: { exp: seconds() - 30 } }), "expired"],
      ["an end long ago", await make({ claims: { exp: 0 } }), "expired"],
      ["a negative end", await make({ claims: { exp: -1 } }), "expired"],
      [
        "a beginning beyond the skew",
        await make({ claims: { nbf: seconds() + 31 } }),
        "not_yet_valid",
      ],
      ["a beginning that is a text", await make({ claims: { nbf: "0" } }), "malformed"],
      ["no subject", await make({ claims: { sub: undefined } }), "malformed"],
      ["an empty subject", await make({ claims: { sub: "" } }), "malformed"],
      ["a subject that is a number", await make({ claims: { sub: 1 } }), "malformed"],
      ["a subject of two lines", await make({ claims: { sub: "anna\nroot" } }), "malformed"],
      ["a long subject", await make({ claims: { sub: "a".repeat(256) } }), "malformed"],
      ["an algorithm twice", await raw('{"alg":"none","alg":"RS256","kid":"RS256"}'), "malformed"],
      [
        "an algorithm twice, disguised",
        await raw('{"\\u0061lg":"none","kid":"RS256","alg":"RS256"}'),
        "malformed",
      ],
      [
        "an issuer twice",
        await raw(
          '{"alg":"RS256","kid":"RS256"}',
          JSON.stringify(claims).replace("{", `{"iss":"${DEVELOPMENT}",`),
        ),
        "malformed",
      ],
      ["no algorithm", await make({ header: { alg: undefined } }), "malformed"],
      ["an extension", await make({ header: { crit: ["exp"], exp: 1 } }), "malformed"],
      [
        "a body that is not encoded",
        await make({ header: { crit: ["b64"], b64: false } }),
        "malformed",
      ],
      ["another type", await make({ header: { typ: "dpop+jwt" } }), "malformed"],
      ["a type that is no text", await make({ header: { typ: ["JWT"] } }), "malformed"],
      ["a list as header", await raw('["RS256"]'), "malformed"],
      ["a list as body", await raw('{"alg":"RS256","kid":"RS256"}', "[]"), "malformed"],
      ["a header that is not JSON", `${base64Url("alg")}.${payload}.${signature}`, "malformed"],
      ["a header that is not UTF-8", `_w.${payload}.${signature}`, "malformed"],
      ["9 kB", await make({ claims: { filler: "x".repeat(7000) } }), "malformed"],
      ["a megabyte", "a".repeat(1_000_000), "malformed"],
      ["two parts", `${head}.${payload}`, "malformed"],
      ["five parts", `${good}.a.b`, "malformed"],
      ["something behind it", `${good} x`, "malformed"],
      ["padding", `${good}=`, "malformed"],
    ];
    return [
      ["no header", undefined, "missing"],
      ["an empty header", "", "malformed"],
      ["a scheme alone", "Bearer", "malformed"],
      ["a token without scheme", good, "malformed"],
      ["another scheme", `Basic ${base64Url("anna:secret")}`, "malformed"],
      ["two headers", `Bearer ${good}, Bearer ${good}`, "malformed"],
      ...tokens.map((
        [about, token, reason],
      ): [string, string, string] => [about, `Bearer ${token}`, reason]),
    ];
  }

  proves("G4.2", "everything else is refused, and callers cannot tell why", async () => {
    // The keys are fetched once; nothing of what follows may fetch them again.
    await accepted(await make(), "a good token");
    const fetched = server.fetches;
    const bodies = new Set<string>();
    for (const [about, authorization, reason] of await wrong()) {
      const answer = await send(authorization);
      assert.deepEqual([answer.status, answer.reason], [401, reason], about);
      assert.equal(
        answer.challenge,
        'Bearer resource_metadata="http://127.0.0.1:8808/.well-known/oauth-protected-resource/mcp"' +
          (authorization === undefined ? "" : ', error="invalid_token"'),
        about,
      );
      bodies.add(answer.body);
    }
    assert.deepEqual([...bodies].map((text) => JSON.parse(text)), [{
      jsonrpc: "2.0",
      id: null,
      error: {
        code: -31001,
        message: "Cannot serve the request: no valid token",
        data: { code: "UNAUTHENTICATED", request: "REQUEST" },
      },
    }]);
    assert.equal(server.fetches, fetched);
  });

  it("the log says why, once a second for each reason, without the token", async () => {
    const lines = () => gateway.log.filter(({ event }) => event === "client.refused");
    await clock.advance(1000);
    const before = lines().length;
    for (let count = 0; count < 5; count++) await send("Bearer a.b.c");
    await send(undefined);
    assert.deepEqual(lines().slice(before).map(({ fields }) => fields["reason"]), [
      "malformed",
      "missing",
    ]);
    await clock.advance(1000);
    await send("Bearer a.b.c");
    assert.equal(lines().at(-1)?.fields["more"], 4);
    assert.ok(!JSON.stringify(lines()).includes("eyJ"));
  });
});
