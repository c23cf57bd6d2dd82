import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { exportJWK, generateKeyPair } from "jose";
import { gatewayFolder } from "../../src/hosts/state_folder.ts";
import { Authority } from "../support/certificates.ts";
import { assertTold, freePort, serve, setUp } from "./doctor_setup.ts";

const TIMEOUT = { timeout: 60_000 };

describe("doctor names cause and cure around the backends", () => {
  let authority: Authority;

  before(() => {
    authority = new Authority();
  });

  after(() => authority.remove());

  test("issuer with a certificate that expired", TIMEOUT, async () => {
    const certificate = authority.issue({ subject: "/CN=localhost", use: "server", days: -1 });
    await using server = await serve((_request, response) => response.end(), certificate);
    await using broken = setUp(issuer(`${server.url}/jwks`));

    const found = await broken.diagnose();

    const cause = /certificate expired.*\ncalls with a token from this issuer are rejected/;
    assertTold(found, { section: "auth", name: ISSUER, cause, cure: /renewed/ });
  });

  test("issuer gone", TIMEOUT, async () => {
    const port = await freePort();
    await using broken = setUp(issuer(`http://127.0.0.1:${port}/jwks`));

    const found = await broken.diagnose();

    const cure = new RegExp(`nothing listens on 127\\.0\\.0\\.1:${port}`);
    assertTold(found, { section: "auth", name: ISSUER, cause: /connection refused/, cure });
  });

  test("issuer without a key for its algorithms", TIMEOUT, async () => {
    await using server = await serve((_request, response) => {
      response.end(JSON.stringify({ keys: [{ kty: "oct", k: "AAAA" }] }));
    });
    await using broken = setUp(issuer(`${server.url}/jwks`));

    const found = await broken.diagnose();

    const cause = /none of its 1 keys is for RS256, ES256, EdDSA/;
    assertTold(found, { section: "auth", name: ISSUER, cause, cure: /correct jwks_url/ });
  });

  test("issuer with a good key, its clock is an hour ahead", TIMEOUT, async () => {
    const { publicKey } = await generateKeyPair("ES256", { extractable: true });
    const keys = JSON.stringify({ keys: [await exportJWK(publicKey)] });
    await using server = await serve((_request, response) => {
      response.setHeader("date", new Date(Date.now() + 3_600_000).toUTCString());
      response.end(keys);
    });
    await using place = setUp(issuer(`${server.url}/jwks`));

    const found = await place.diagnose();

    const [good, clock] = found.of("auth", ISSUER);
    assert.match(good?.text ?? "", /^1 of 1 keys usable, in \d+ ms$/);
    assert.equal(clock?.level, "warn");
    assert.match(
      clock.text,
      /^its clock is 3(?:599|600|601) s ahead of ours, and 30 s are forgiven$/,
    );
    assert.equal(found.code, 0);
  });

  test("state file that is damaged", TIMEOUT, async () => {
    await using broken = setUp("");
    const source = join(broken.folder, "sentinel.toml");
    const folder = gatewayFolder(join(broken.folder, "state", "mcp-sentinel"), { source });
    writeFileSync(join(folder, "state.sqlite"), "this is no database".repeat(1000));

    const found = await broken.diagnose();

    const cause = /Cannot use the state file .*not a database/;
    assertTold(found, { section: "state", name: "sqlite", cause, cure: /it is damaged; restore/ });
  });

  test("port taken by another program, which is named", TIMEOUT, async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      const listen =
        `[server]\nlisten = "127.0.0.1:${port}"\n[management]\nlisten = "127.0.0.1:0"\n`;
      await using broken = setUp("", listen);

      const found = await broken.diagnose();

      const cause = new RegExp(`127\\.0\\.0\\.1:${port} is taken by .*\\(pid ${process.pid}\\)`);
      const cure = /stop that program, or set {2}listen = "127\.0\.0\.1:\d+" {2}in \[server\]/;
      assertTold(found, { section: "listener", name: "server", cause, cure });
    } finally {
      server.close();
    }
  });

  test("state folder that cannot be made", TIMEOUT, async () => {
    await using broken = setUp("");
    writeFileSync(join(broken.folder, "file"), "");

    const env = { XDG_STATE_HOME: join(broken.folder, "file", "state") };
    const found = await broken.diagnose([], { env });

    const cause = /nothing can be kept in .*: a file is in the way/;
    assertTold(found, { section: "state", cause, cure: /XDG_STATE_HOME/ });
  });

  test("state folder that others may write", TIMEOUT, async () => {
    await using broken = setUp("");
    const state = join(broken.folder, "state", "mcp-sentinel");
    mkdirSync(state, { recursive: true });
    chmodSync(state, 0o777);

    const found = await broken.diagnose();

    assertTold(found, { section: "state", cause: /Others may write/, cure: /chmod go-w/ });
  });

  test("PostgreSQL gone", TIMEOUT, async () => {
    const port = await freePort();
    const url = `postgres://one:hush-hush-4711@127.0.0.1:${port}/audit`;
    await using broken = setUp('[audit]\nstore = "postgres"\nurl = "${env:AUDIT_URL}"\n');

    const found = await broken.diagnose([], { env: { AUDIT_URL: url } });

    const cure = /start the server, or correct host and port/;
    assertTold(found, { section: "audit", name: "postgres", cause: new RegExp(`${port}`), cure });
    assert.ok(!found.out.includes("hush-hush-4711"));
  });

  test("Redis gone", TIMEOUT, async () => {
    const port = await freePort();
    const url = `redis://:hush-hush-4711@127.0.0.1:${port}`;
    await using broken = setUp('[sessions]\nstore = "redis"\nurl = "${env:REDIS_URL}"\n');

    const found = await broken.diagnose([], { env: { REDIS_URL: url } });

    const cause = new RegExp(`Cannot use Redis at 127\\.0\\.0\\.1:${port}`);
    assertTold(found, { section: "sessions", name: "redis", cause, cure: /start the server/ });
    assert.ok(!found.out.includes("hush-hush-4711"));
  });

  test("reference to a variable that is not set", TIMEOUT, async () => {
    await using broken = setUp(
      '[backends.one]\nurl = "http://127.0.0.1:1/mcp"\nheaders = { Authorization = "${env:NOWHERE_TOKEN}" }\n',
    );

    const found = await broken.diagnose();

    const cause = /NOWHERE_TOKEN is not set.*sentinel\.toml:7:/;
    assertTold(found, { section: "secrets", cause, cure: /set the variable; --env-file/ });
  });

  test("configuration with a mistake, its line is named", TIMEOUT, async () => {
    await using broken = setUp('[backends.one]\ncomand = "npx"\n');

    const found = await broken.diagnose();

    assert.equal(found.code, 6);
    const row = found.of("config").find(({ text }) => text.startsWith("unknown key"));
    assert.match(row?.text ?? "", /unknown key "comand".*sentinel\.toml:6:1/);
    assert.match(row?.cure ?? "", /did you mean "command"/);
  });
});

const ISSUER = "https://login.example.com";

function issuer(jwks: string): string {
  return `[auth]\nmode = "jwt"\n[[auth.jwt]]\nissuer = "${ISSUER}"\naudience = "us"\n` +
    `jwks_url = "${jwks}"\n`;
}
