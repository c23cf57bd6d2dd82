import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { createAuthenticator } from "../../src/core/auth/authenticator.ts";
import { SystemClock } from "../../src/hosts/clock.ts";
import { createFetchClient } from "../../src/hosts/http_client/fetch_client.ts";
import { Registry } from "../../src/telemetry/registry.ts";
import { parse } from "../config/parsing.ts";
import { runCli } from "./fake_io.ts";

const SECRET = "an example of a secret with 32 bytes or more";
const KEY = new TextEncoder().encode(SECRET);
const ISSUER = "https://dev.example.com";

const configOf = (entry: string) => `
[auth]
mode = "jwt"
[[auth.jwt]]
issuer = "${ISSUER}"
audience = "https://mcp.example.com"
secret = "\${env:JWT_SECRET}"
${entry}
[roles.developer]
tools = ["*"]
[roles.admin]
tools = ["*"]
`;

describe("token new", () => {
  let cwd: string;
  before(() => {
    cwd = mkdtempSync(join(tmpdir(), "sentinel-token-"));
  });
  after(() => rmSync(cwd, { recursive: true }));

  const env = { JWT_SECRET: SECRET };
  const withConfig = (text: string, ...argv: readonly string[]) => {
    writeFileSync(join(cwd, "sentinel.toml"), text);
    return runCli(["token", "new", ...argv], { cwd, env });
  };
  const tokenOf = async (text: string, ...argv: readonly string[]) => {
    const { code, out, err } = await withConfig(text, ...argv);
    assert.equal(code, 0, err);
    assert.match(out, /^[\w-]+\.[\w-]+\.[\w-]+\n$/, "the token and nothing else");
    return { token: out.trim(), err };
  };

  it("signs what the entry says, for an hour", async () => {
    const { token, err } = await tokenOf(configOf(""), "--role", "developer", "--role", "admin");
    const { payload } = await jwtVerify(token, KEY, {
      issuer: ISSUER,
      audience: "https://mcp.example.com",
      algorithms: ["HS256"],
    });
    const { sub, iat = 0, exp = 0 } = payload;
    assert.deepEqual([sub, payload["roles"], exp - iat], ["dev", ["developer", "admin"], 3600]);
    assert.match(err, /^dev of https:\/\/dev\.example\.com as developer, admin, for 1h \(until /);
  });

  it("gives a token that the gateway takes, with the roles where it looks for them", async () => {
    for (const claim of ["roles", "realm_access.roles", "https://example.com/roles"]) {
      const text = configOf(`roles_claim = "${claim}"\nalgorithms = ["HS512"]\n`);
      const { token } = await tokenOf(text, "--subject", "anna", "--role", "developer", "nobody");
      assert.equal(decodeProtectedHeader(token).alg, "HS512");
      const { config } = await parse(text, { env });
      const authenticate = createAuthenticator({
        config: () => config,
        clock: new SystemClock(),
        http: createFetchClient(),
        log: { write: () => {} },
        telemetry: new Registry(),
      });
      const { id, roles } = await authenticate(`Bearer ${token}`);
      assert.deepEqual([id, roles], [`${ISSUER}#anna`, ["developer"]], claim);
    }
  });

  it("carries other claims, as JSON where they are", async () => {
    const { token } = await tokenOf(
      configOf('roles_claim = "realm_access.roles"\n'),
      ...["--claim", "team=eng", "--claim", "level=3", "--claim", 'realm_access={"x":[1]}'],
      ...["--claim", "__proto__=1", "--role", "admin", "--expires", "2d"],
    );
    const claims = decodeJwt(token);
    assert.equal(claims["team"], "eng");
    assert.equal(claims["level"], 3);
    assert.deepEqual(claims["realm_access"], { x: [1], roles: ["admin"] });
    assert.equal((claims.exp ?? 0) - (claims.iat ?? 0), 2 * 86_400);
  });

  it("warns of a role that gives nothing", async () => {
    const { err } = await tokenOf(configOf(""), "--role", "develper");
    assert.match(err, /warning: there is no role "develper"; did you mean "developer"\?/);
    const mapped = configOf('roles_map = { "eng-*" = "developer" }\n');
    assert.doesNotMatch((await tokenOf(mapped, "--role", "eng-core")).err, /warning/);
  });

  it("as JSON it says whom the token is for", async () => {
    const { out } = await withConfig(configOf(""), "--json", "--role", "admin");
    const { schema, token, ...rest } = JSON.parse(out);
    assert.equal(schema, "mcp-sentinel/v1/token");
    assert.equal(decodeJwt(token).sub, "dev");
    const { expires, ...others } = rest;
    assert.ok(Date.parse(expires) > Date.now());
    assert.deepEqual(others, {
      issuer: ISSUER,
      audience: "https://mcp.example.com",
      subject: "dev",
      roles: ["admin"],
    });
  });

  it("needs an entry with a secret, and one only", async () => {
    const keys = '[[auth.jwt]]\nissuer = "https://b.example"\naudience = "x"\n' +
      'jwks_url = "https://b.example/keys"\n';
    const second =
      `[[auth.jwt]]\nissuer = "https://c.example"\naudience = "x"\nsecret = "\${env:JWT_SECRET}"\n`;
    const cases: readonly (readonly [string, readonly string[], number, RegExp])[] = [
      ["", [], 1, /has no \[\[auth\.jwt\]\] entry/],
      [`[auth]\nmode = "jwt"\n${keys}`, [], 1, /signs with keys of its own \(jwks_url\)/],
      [configOf(keys), ["--issuer", "https://b.example"], 1, /keys of its own/],
      [
        configOf(second),
        [],
        2,
        /several \[\[auth\.jwt\]\] entries[^]*--issuer https:\/\/c\.example/,
      ],
      [configOf(""), ["--issuer", "https://dev.exampl.com"], 2, /did you mean https:\/\/dev\./],
    ];
    for (const [text, argv, expected, message] of cases) {
      const { code, out, err } = await withConfig(text, ...argv);
      assert.deepEqual([code, out], [expected, ""], err);
      assert.match(err, message);
      assert.ok(!err.includes(SECRET));
    }
    assert.equal(
      decodeJwt((await tokenOf(configOf(second), "--issuer", ISSUER)).token).iss,
      ISSUER,
    );
  });

  it("refuses what would make no usable token", async () => {
    const cases: readonly (readonly string[])[] = [
      ["--expires", "soon"],
      ["--expires", "400d"],
      ["--expires", "0s"],
      ["--subject", "a\nb"],
      ["--claim", "sub=x"],
      ["--claim", "nothing"],
      ["--claim", "roles=1", "--role", "admin"],
    ];
    for (const argv of cases) {
      const { code, out, err } = await withConfig(configOf(""), ...argv);
      assert.deepEqual([code, out], [2, ""], `${argv.join(" ")}: ${err}`);
    }
  });

  it("--management gives a random token and the lines to add, which the gateway takes", async () => {
    const make = () =>
      runCli(["token", "new", "--management", "--name", "on-call", "--scope", "read"]);
    const [one, two] = [await make(), await make()];
    const token = one.out.trim();
    assert.match(token, /^[\w-]{43}$/);
    assert.notEqual(token, two.out.trim());
    assert.ok(!one.err.includes(token));
    const toml = one.err.slice(one.err.indexOf("[[management.tokens]]"));
    const { config } = await parse(toml, { env: { SENTINEL_TOKEN_ON_CALL: token } });
    const [entry] = config.management.tokens;
    assert.deepEqual(entry, { name: "on-call", scope: "read", value: token });
  });
});
