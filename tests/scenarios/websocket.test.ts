/** WebSocket through a real gateway: the official client, sign-in, TLS, a stop. */
import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { stringify } from "smol-toml";
// @ts-types="@modelcontextprotocol/sdk/client/websocket"
import { WebSocketClientTransport } from "@modelcontextprotocol/sdk/client/websocket.js";
import { Authority } from "../support/certificates.ts";
import { fixtureBackend } from "../support/core.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { ScriptedBackend } from "../support/faults/scripted_backend.ts";
import { proves } from "../support/proves.ts";
import type { Transport } from "../support/sdk.ts";
import { WebSocketClient } from "../support/websocket_client.ts";
import { SIGN_IN, tokenFor } from "../core/auth/clients.ts";
import { callTool, createClient, listTools, textOf } from "./clients.ts";
import { until } from "./until.ts";

const WAIT_MS = 10_000;
const BACKENDS = { own: fixtureBackend() };

function socketUrl(url: string): string {
  return new URL("/ws", url).href.replace(/^http/, "ws");
}

describe("WebSocket of a gateway", () => {
  let gateway: Gateway;
  before(async () => {
    gateway = await startGateway(stringify({ backends: BACKENDS }));
  });
  after(() => gateway.stop());

  proves(["U4"], "the official client lists and calls over it, as over SSE", async () => {
    const client = createClient();
    const transport = new WebSocketClientTransport(new URL(socketUrl(gateway.url)));
    await client.connect(transport as unknown as Transport);
    const names = (await listTools(client)).map(({ name }) => name);
    assert.ok(names.includes("own__echo"));
    const result = await callTool(client, "own__echo", { text: "hello" });
    assert.deepEqual(JSON.parse(textOf(result)), { text: "hello" });
    await client.close();
  });

  it("a stop says so: 1001 and the reason", async () => {
    const stopping = await startGateway(stringify({ backends: BACKENDS }));
    const client = await WebSocketClient.open(socketUrl(stopping.url));
    await client.initialize();
    await stopping.stop();
    assert.deepEqual(await client.closed, { code: 1001, reason: "the gateway is stopping" });
  });
});

describe("a call over WebSocket", () => {
  proves("X4", "is sent once, and whoever fails says whether it may have run", async (t) => {
    const backend = await ScriptedBackend.start();
    const one = { url: backend.urlOf("one").href, timeout: "2s", retry: { tools: [] } };
    const gateway = await startGateway(stringify({ backends: { one } }));
    let isGone = false;
    t.after(async () => {
      await gateway.stop();
      if (!isGone) await backend[Symbol.asyncDispose]();
    });
    const client = await WebSocketClient.open(socketUrl(gateway.url));
    await client.initialize();
    const ended = async (nonce: string, act: string) => {
      const params = { name: "one__call", arguments: { nonce, do: act } };
      const { result, error } = await client.request(nonce, "tools/call", params);
      return error === undefined
        ? JSON.parse(textOf(result)).nonce
        : [error.data.code, error.data.executed, error.data.backend];
    };
    assert.equal(await ended("n1", "answer"), "n1");
    assert.deepEqual(await ended("n2", "die"), ["BACKEND_LOST", "unknown", "one"]);
    assert.deepEqual(await ended("n3", "hang"), ["BACKEND_TIMEOUT", "unknown", "one"]);
    // The client goes in the middle of it.
    client.write({
      jsonrpc: "2.0",
      id: "n4",
      method: "tools/call",
      params: { name: "one__call", arguments: { nonce: "n4", do: "hang" } },
    });
    await until(() => assert.ok(nonces(backend).includes("n4")), WAIT_MS);
    client.destroy();
    const next = await WebSocketClient.open(socketUrl(gateway.url));
    await next.initialize();
    await backend[Symbol.asyncDispose]();
    isGone = true;
    const params = { name: "one__call", arguments: { nonce: "n5", do: "answer" } };
    const { error } = await next.request("n5", "tools/call", params);
    assert.equal(error.data.executed, "no");
    assert.deepEqual(nonces(backend), ["n1", "n2", "n3", "n4"]);
    next.close();
  });
});

function nonces({ ledger }: ScriptedBackend): string[] {
  return ledger.map(({ nonce }) => nonce);
}

describe("WebSocket with sign-in", () => {
  let gateway: Gateway;
  before(async () => {
    const jwt = SIGN_IN.jwt?.map((issuer) => ({ ...issuer, secret: "${env:SIGN_SECRET}" }));
    const auth = { ...SIGN_IN, jwt };
    gateway = await startGateway(stringify({ backends: BACKENDS, auth }), {
      env: { SIGN_SECRET: "0123456789abcdef0123456789abcdef" },
    });
  });
  after(() => gateway.stop());

  it("a connection without a token is refused before the upgrade", async () => {
    await assert.rejects(WebSocketClient.open(socketUrl(gateway.url)), /401|Expected 101/);
    const headers = { authorization: `Bearer ${await tokenFor("anna", [])}` };
    const client = await WebSocketClient.open(socketUrl(gateway.url), { headers });
    await client.initialize();
    client.close();
  });

  it("a token that expires ends the connection with 1008", async () => {
    // The gateway allows 30 s of skew.
    const token = await tokenFor("anna", [], { lifetime: -27 });
    const headers = { authorization: `Bearer ${token}` };
    const client = await WebSocketClient.open(socketUrl(gateway.url), { headers });
    const asking = setInterval(() => client.write({ jsonrpc: "2.0", id: 1, method: "ping" }), 200);
    const { code } = await client.closed;
    clearInterval(asking);
    assert.equal(code, 1008);
  });
});

describe("a data plane with TLS", () => {
  it("serves wss, and takes a renewed certificate without a restart", async () => {
    const authority = new Authority();
    const { certFile, keyFile } = authority.issue({ subject: "/CN=one", use: "server" });
    const tls = { cert: join(authority.folder, "s.crt"), key: join(authority.folder, "s.key") };
    const put = (cert: string, key: string) => {
      copyFileSync(cert, tls.cert);
      copyFileSync(key, tls.key);
    };
    put(certFile, keyFile);
    const gateway = await startGateway(stringify({ backends: BACKENDS, server: { tls } }));
    const url = socketUrl(gateway.url);
    assert.match(url, /^wss:/);
    const before = await WebSocketClient.open(url, { ca: authority.root.cert });
    await before.initialize();
    const two = authority.issue({ subject: "/CN=two", use: "server" });
    put(two.certFile, two.keyFile);
    await gateway.printed(/tls\.renewed/);
    const next = await WebSocketClient.open(url, { ca: authority.root.cert });
    await next.initialize();
    assert.deepEqual((await before.request(1, "ping"))["result"], {});
    await gateway.stop();
    assert.equal((await before.closed).code, 1001);
    authority.remove();
  });
});
