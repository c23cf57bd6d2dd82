import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { type ConfigInput, fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { BASE, eventsOf, HEADERS, post } from "../../support/http_session.ts";
import { type RecordingBackend, startRecordingBackend } from "../../support/recording_backend.ts";
import { type Client, type Front, openClient, SIGN_IN, tokenFor } from "../auth/clients.ts";

const ACT = { actor: { name: "oncall", scope: "admin" } } as const;
const LIMIT = { timeout: 20_000 };
const TOKEN_MS = 600_000;
const SKEW_MS = 30_000;

describe("what is open when a right ends", LIMIT, () => {
  let backend: RecordingBackend | undefined;
  let gateway: TestCore;
  let clock: FakeClock;
  afterEach(async () => {
    await gateway.stop();
    await backend?.close();
    backend = undefined;
  });

  async function start(input: ConfigInput): Promise<void> {
    clock = new FakeClock();
    gateway = await startCore({ auth: SIGN_IN, ...input }, { clock });
  }

  async function reload(input: ConfigInput): Promise<void> {
    gateway.source.write({ auth: SIGN_IN, ...input });
    assert.equal((await gateway.core.control.reload(ACT)).outcome, "applied");
  }

  /** A token that is good for ten minutes of the gateway's clock. */
  function token(role: string, subject = "anna"): Promise<string> {
    const lifetime = (clock.now() + TOKEN_MS - Date.now()) / 1000;
    return tokenFor(subject, [role], { lifetime: Math.ceil(lifetime) });
  }

  async function open(front: Front, role: string): Promise<Client> {
    return await openClient(gateway.core, front, await token(role, `holder of ${role}`));
  }

  function sessions() {
    return [...gateway.core.control.sessions(0)];
  }

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await setImmediate();
  }

  /** A session without a stream, and its headers. */
  async function initialize(authorization: string): Promise<Record<string, string>> {
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: CLIENT };
    const message = { jsonrpc: "2.0", id: 1, method: "initialize", params };
    const { headers } = await post(gateway.core.fetch, message, { authorization });
    return { "mcp-session-id": headers.get("mcp-session-id") ?? "", authorization };
  }

  function listen(headers: Record<string, string>): Promise<Response> {
    const all = { ...HEADERS, accept: "text/event-stream", ...headers };
    return gateway.core.fetch(new Request(`${BASE}/mcp`, { headers: all }));
  }

  /** Reads a stream; resolves at its end. Who reads nothing is taken for gone. */
  async function read(stream: Response): Promise<void> {
    for await (const _ of eventsOf(stream)) { /* Nothing but signs of life. */ }
  }

  it("a stream ends with its token; its session goes on with the next one", async () => {
    await start({ roles: { all: { tools: ["*"] } } });
    const headers = await initialize(`Bearer ${await token("all")}`);
    const end = read(await listen(headers));
    await clock.advance(TOKEN_MS + SKEW_MS - 2000);
    assert.deepEqual(sessions().map(({ streams }) => streams), [1]);
    await clock.advance(3000);
    await end;
    assert.deepEqual(sessions().map(({ streams }) => streams), [0]);
    assert.equal((await listen(headers)).status, 401);
    const fresh = { ...headers, authorization: `Bearer ${await token("all")}` };
    const again = await listen(fresh);
    assert.equal(again.status, 200);
    await clock.advance(5000);
    assert.deepEqual(sessions().map(({ streams }) => streams), [1]);
    await again.body?.cancel();
  });

  it("a fresh token on any request keeps the stream", async () => {
    await start({ roles: { all: { tools: ["*"] } } });
    const headers = await initialize(`Bearer ${await token("all")}`);
    void read(await listen(headers));
    await clock.advance(TOKEN_MS / 2);
    const authorization = `Bearer ${await token("all")}`;
    const ping = { jsonrpc: "2.0", id: 2, method: "ping" };
    await post(gateway.core.fetch, ping, { ...headers, authorization });
    await clock.advance(TOKEN_MS / 2 + SKEW_MS + 2000);
    assert.deepEqual(sessions().map(({ streams }) => streams), [1]);
  });

  it("a session of one connection ends with its token, but not while it is called", async () => {
    await start({
      backends: { fix: fixtureBackend({ health: { interval: "1h" } }) },
      roles: { all: { tools: ["*"] } },
      server: { request_timeout: "15m" },
    });
    const client = await open("sse", "all");
    await client.request("tools/list");
    void client.request("tools/call", { name: "fix__wait", arguments: {} });
    await until(() => gateway.core.inFlight() === 1);
    await clock.advance(TOKEN_MS + SKEW_MS + 5000);
    assert.deepEqual(sessions().map(({ inFlight }) => inFlight), [1]);
    // The call ends by its own deadline.
    await clock.advance(TOKEN_MS);
    assert.equal(sessions().length, 0);
    const ended = gateway.log.filter(({ event }) => event === "session.ended");
    assert.deepEqual(ended.map(({ fields }) => fields["reason"]), ["its token expired"]);
  });

  it("sessions whose roles show nothing any more end; those that never saw anything stay", async () => {
    await start({ roles: { alpha: { tools: ["a__*"] }, none: {} } });
    for (const front of ["streamable", "sse", "pipe"] as const) {
      for (const role of ["alpha", "none"]) await open(front, role);
    }
    await reload({ roles: { alpha: { tools: ["a__*"], deny: ["*"] }, none: {} } });
    assert.deepEqual(sessions().map(({ principal }) => principal?.includes("none")), [
      true,
      true,
      true,
    ]);
    const reasons = gateway.log.filter(({ event }) => event === "session.ended")
      .map(({ fields }) => fields["reason"]);
    assert.deepEqual(new Set(reasons), new Set(["its roles show nothing any more"]));
  });

  it("a stream ends when its issuer's entry changes, so that its client's roles are read anew", async () => {
    const roles = { alpha: { tools: ["a__*"] }, beta: { tools: ["b__*"] } };
    await start({ roles });
    const headers = await initialize(`Bearer ${await token("alpha")}`);
    const end = read(await listen(headers));
    await reload({ roles: { ...roles, alpha: { tools: ["a__x"] } } });
    assert.deepEqual(sessions().map(({ streams }) => streams), [1], "a role alone ends none");
    const [entry] = SIGN_IN.jwt ?? [];
    assert.ok(entry !== undefined);
    await reload({
      roles,
      auth: { ...SIGN_IN, jwt: [{ ...entry, roles_map: { alpha: "beta" } }] },
    });
    await end;
    assert.deepEqual(sessions().map(({ streams }) => streams), [0]);
    const again = await listen(headers);
    assert.equal(again.status, 200);
    await again.body?.cancel();
  });

  it("what a session may not read any more is not followed at the backend either", async () => {
    backend = await startRecordingBackend("a");
    const backends = { a: { url: backend.url } };
    await start({ backends, roles: { all: { tools: ["*"], resources: ["a://*"] } } });
    const client = await open("streamable", "all");
    await client.request("resources/subscribe", { uri: "a://doc" });
    await reload({ backends, roles: { all: { tools: ["*"] } } });
    const { reached } = backend;
    await until(() => reached.length === 2);
    assert.deepEqual(reached, ["resources/subscribe a://doc", "resources/unsubscribe a://doc"]);
    assert.equal(sessions().length, 1);
    await client.close();
  });
});

const CLIENT = { name: "c", version: "1" };
