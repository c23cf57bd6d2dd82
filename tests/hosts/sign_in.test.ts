import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Gateway, startGateway, stdioGateway } from "../support/gateway.ts";
import { proves } from "../support/proves.ts";
import { Client, StdioClientTransport, StreamableHTTPClientTransport } from "../support/sdk.ts";
import { exchange, statusOf } from "../support/raw_socket.ts";
import { RunningProgram } from "../support/running_program.ts";
import {
  AUDIENCE,
  createKey,
  KeyServer,
  secretKey,
  type SigningKey,
  tokenOf,
} from "../core/auth/tokens.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "t", version: "1" },
  },
});

function configOf(jwt: string): string {
  return `[auth]\nmode = "jwt"\n[[auth.jwt]]\nissuer = "idp"\naudience = "${AUDIENCE}"\n${jwt}\n`;
}

describe("sign-in of a running gateway", () => {
  let key: SigningKey;
  let server: KeyServer;
  let gateway: Gateway;
  let port: number;
  let token: string;

  before(async () => {
    key = await createKey("ES256", "k");
    server = await KeyServer.start([key.jwk]);
    gateway = await startGateway(configOf(`jwks_url = "${server.url}"`));
    port = Number(new URL(gateway.url).port);
    token = await tokenOf(key, { issuer: "idp", now: Date.now() });
  });
  after(async () => {
    await gateway.stop();
    await server[Symbol.asyncDispose]();
  });

  const request = (...headers: string[]) =>
    [
      "POST /mcp HTTP/1.1",
      `Host: 127.0.0.1:${port}`,
      "Content-Type: application/json",
      "Accept: application/json, text/event-stream",
      `Content-Length: ${INITIALIZE.length}`,
      "Connection: close",
      ...headers,
      "",
      INITIALIZE,
    ].join("\r\n");

  proves("G4.1", "a client with a token of the issuer is served", async () => {
    const transport = new StreamableHTTPClientTransport(new URL(gateway.url), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    });
    const client = new Client({ name: "t", version: "1" });
    await client.connect(transport as Parameters<Client["connect"]>[0]);
    await client.ping();
    await client.close();
    assert.equal(server.fetches, 1);
  });

  proves("G4.2", "without one, and with two, it is turned away", async () => {
    const header = `Authorization: Bearer ${token}`;
    assert.equal(await statusOf(port, request(header)), 200);
    assert.equal(await statusOf(port, request()), 401);
    assert.equal(await statusOf(port, request(header, header)), 401);
    assert.equal(await statusOf(port, request(header, "Authorization: Bearer x")), 401);
    assert.equal(await statusOf(port, request("Authorization: Bearer x", header)), 401);
    const answer = await exchange(port, request());
    const place = `http://127.0.0.1:${port}/.well-known/oauth-protected-resource`;
    assert.match(answer.toLowerCase(), /\r\nwww-authenticate: bearer resource_metadata="/);
    assert.ok(answer.includes(`"${place}/mcp"`), answer);
    const metadata = await (await fetch(`${place}/mcp`)).json() as { resource: string };
    assert.equal(metadata.resource, gateway.url);
  });

  it("a reload ends the validity of tokens of an issuer that is gone", async () => {
    const other = await startGateway(configOf('secret = "${env:SECRET}"'), { env: { SECRET } });
    const shared = secretKey("HS256", SECRET);
    const authorization = `Bearer ${await tokenOf(shared, { issuer: "idp", now: Date.now() })}`;
    const status = async () =>
      (await fetch(other.url, {
        method: "POST",
        headers: {
          authorization,
          "content-type": "application/json",
          "accept": "application/json, text/event-stream",
        },
        body: INITIALIZE,
      })).status;
    assert.equal(await status(), 200);
    await other.rewrite(configOf('secret = "${env:SECRET}"').replace('"idp"', '"other"'));
    const reload = await fetch(`${other.managementUrl}/manage/v1/reload`, {
      method: "POST",
      headers: { "authorization": `Bearer ${other.token}`, "content-type": "application/json" },
      body: "{}",
    });
    assert.equal(reload.status, 200, await reload.text());
    assert.equal(await status(), 401);
    await other.stop();
  });

  it("stdio takes its token from the environment, and says so without one", async () => {
    const toml = configOf('secret = "${env:SECRET}"');
    const shared = await tokenOf(secretKey("HS256", SECRET), { issuer: "idp", now: Date.now() });
    const run = async (env: Record<string, string>) => {
      const stdio = await stdioGateway(toml, { env: { SECRET, ...env } });
      const program = new RunningProgram(stdio, stdio.env);
      return { stdio, program };
    };
    const refused = await run({});
    const { code } = await refused.program.exited;
    assert.equal(code, 5, refused.program.stderr);
    assert.match(refused.program.stderr, /SENTINEL_TOKEN holds no valid token/);
    await refused.stdio.remove();
    const stdio = await stdioGateway(toml, { env: { SECRET, SENTINEL_TOKEN: shared } });
    const client = new Client({ name: "t", version: "1" });
    const { command, args, env } = stdio;
    await client.connect(
      new StdioClientTransport({ command, args: [...args], env, stderr: "ignore" }),
    );
    await client.ping();
    await client.close();
    await stdio.remove();
  });
});
