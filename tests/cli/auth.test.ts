import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { SignJWT } from "jose";
import { AUDIENCE, createKey, KeyServer, type SigningKey, tokenOf } from "../core/auth/tokens.ts";
import { startEchoServer } from "../support/echo_server.ts";
import { HttpSession } from "../support/http_session.ts";
import { TOKENS } from "../support/management.ts";
import { type FakeIoOptions, runCli } from "./fake_io.ts";
import { withOperator } from "./operator.ts";

const SECRET = "an example of a secret with 32 bytes or more";
const DEV = "https://dev.example.com";

describe("auth explain", () => {
  let cwd: string;
  let key: SigningKey;
  let other: SigningKey;
  let keys: KeyServer;
  before(async () => {
    cwd = mkdtempSync(join(tmpdir(), "sentinel-auth-"));
    key = await createKey("ES256", "k");
    other = await createKey("ES256", "k");
    keys = await KeyServer.start([key.jwk]);
    writeFileSync(
      join(cwd, "sentinel.toml"),
      `[auth]
mode = "jwt"
[[auth.jwt]]
issuer = "idp"
audience = "${AUDIENCE}"
jwks_url = "${keys.url}"
roles_claim = "groups"
roles_map = { "eng-*" = "developer", "eng-lead" = "admin" }
[[auth.jwt]]
issuer = "${DEV}"
audience = "https://mcp.example.com"
secret = "\${env:JWT_SECRET}"
[[auth.jwt]]
issuer = "gone"
audience = "a"
jwks_url = "http://127.0.0.1:1/keys"
[roles.developer]
tools = ["docs__*"]
[roles.admin]
tools = ["*"]
`,
    );
  });
  after(async () => {
    await keys[Symbol.asyncDispose]();
    rmSync(cwd, { recursive: true });
  });

  const explain = (argv: readonly string[], options: FakeIoOptions = {}) =>
    runCli(["auth", "explain", ...argv], { cwd, env: { JWT_SECRET: SECRET }, ...options });
  /** What is told of a token; the token itself never is. */
  const told = async (token: string) => {
    const { code, out, err } = await explain(["-", "--json"], { input: `Bearer ${token}\n` });
    assert.notEqual(out, "", err);
    assert.ok(token.length < 20 || !`${out}${err}`.includes(token), "it is printed back");
    return { code, ...JSON.parse(out) };
  };
  const signed = (claims: Record<string, unknown>, secret = SECRET) =>
    new SignJWT(claims).setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode(secret));
  const seconds = () => Math.floor(Date.now() / 1000);
  const dev = (more: Record<string, unknown> = {}) => ({
    iss: DEV,
    aud: "https://mcp.example.com",
    sub: "anna",
    exp: seconds() + 3600,
    ...more,
  });

  it("says issuer, signature, roles and why", async () => {
    const claims = { groups: ["eng-lead", "eng-web", "staff"] };
    const token = await tokenOf(key, { issuer: "idp", now: Date.now(), claims });
    const { code, out, err } = await explain([token]);
    assert.equal(code, 0, out + err);
    assert.match(out, /^valid {3}\S+ of idp\n/);
    assert.match(out, /issuer +idp {3}auth\.jwt\.0 sentinel\.toml:4\n/);
    assert.match(out, /signature +verified, ES256\n/);
    assert.match(out, /roles +admin, developer {3}from the claim groups\n/);
    assert.match(out, /eng-lead → admin, roles_map "eng-lead" {3}sentinel\.toml:8\n/);
    assert.match(out, /eng-web → developer, roles_map "eng-\*" {3}sentinel\.toml:8\n/);
    assert.match(out, /staff → none\n/);
    assert.match(err, /which tools it sees is not known: no gateway of yours runs/);
  });

  it("says why a token would be refused, in one word for programs", async () => {
    const cases: readonly (readonly [string, string, RegExp])[] = [
      [await signed(dev({ exp: seconds() - 7200 })), "expired", /has expired/],
      [await signed(dev({ nbf: seconds() + 7200 })), "not_yet_valid", /./],
      [await signed(dev({ aud: "other" })), "audience", /https:\/\/mcp\.example\.com is wanted/],
      [
        await signed(dev({ iss: "https://dev.exmple.com" })),
        "issuer",
        /did you mean https:\/\/dev/,
      ],
      [await signed(dev(), "another secret, as long as the one before"), "signature", /./],
      [await signed(dev({ iss: "idp" })), "algorithm", /HS256 instead of RS256, ES256, EdDSA/],
      [await signed(dev({ exp: undefined })), "malformed", /./],
      [await tokenOf(other, { issuer: "idp", now: Date.now() }), "signature", /./],
      [
        await tokenOf(key, { issuer: "gone", now: Date.now() }),
        "jwks_unavailable",
        /127\.0\.0\.1:1/,
      ],
      ["nonsense", "malformed", /./],
      ["a.b.c", "malformed", /./],
    ];
    for (const [token, reason, text] of cases) {
      const { code, valid, problem } = await told(token);
      assert.equal(code, 5, reason);
      assert.equal(valid, false);
      assert.equal(problem.reason, reason, problem.text);
      assert.match(problem.text, text);
    }
  });

  it("shows what a refused token claims, and that nothing of it is proven", async () => {
    const { out } = await explain([await signed(dev({ roles: ["admin"] }), "x".repeat(32))]);
    assert.match(out, /^refused {3}the signature is not the issuer's\n/);
    assert.match(out, /signature +not verified, HS256\n/);
    assert.match(out, /admin → admin, by its name {3}sentinel\.toml:\d+\n/);
  });

  it("claims reach no terminal as they are", async () => {
    const token = await signed(dev({ sub: "an\u001b[2Jna", roles: ["\u202egnp", "__proto__"] }));
    const { out } = await explain([token]);
    assert.doesNotMatch(out.replaceAll("\n", ""), /[\p{Cc}\u202e]/u);
    const odd = await told(token);
    assert.equal(odd.problem.reason, "malformed");
    assert.deepEqual(odd.roles, ["default"]);
  });

  it("takes the token from stdin or a variable, and asks for one where nobody pipes", async () => {
    const token = await signed(dev());
    assert.equal((await explain([], { input: token })).code, 0);
    const env = { JWT_SECRET: SECRET, T: token };
    assert.equal((await explain(["--token-env", "T"], { env })).code, 0);
    assert.equal((await explain(["--token-env", "MISSING"])).code, 5);
    const ask = () => Promise.resolve("");
    assert.equal((await explain([], { ask })).code, 2);
    assert.equal((await explain([], { input: " \n" })).code, 2);
  });

  it("names the tools its roles show, of a gateway that runs", async () => {
    const echo = await startEchoServer();
    const config = { backends: { docs: { url: echo.url }, more: { url: echo.url } } };
    try {
      await withOperator({ config }, async ({ management, url }) => {
        await (await HttpSession.open(management.gateway.core.fetch)).request("tools/list");
        const target = ["--management-port", url.port, "--management-token-env", "ADMIN"];
        const token = await signed(dev({ roles: ["developer"] }));
        const env = { JWT_SECRET: SECRET, ADMIN: TOKENS.admin };
        const { code, out } = await explain([token, "--json", ...target], { env });
        assert.equal(code, 0);
        assert.deepEqual(JSON.parse(out).tools.names, ["docs__echo"]);
      });
    } finally {
      await echo.close();
    }
  });
});
