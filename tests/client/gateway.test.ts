import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import {
  type Followed,
  ManagementError,
  type RequestRoute,
  type RouteAnswer,
  type RouteName,
  type StreamState,
} from "../../src/client/mod.ts";
import { ROUTES } from "../../src/contract/manage/mod.ts";
import type { AuditReader } from "../../src/ports/audit.ts";
import { type RunningServer, startEchoServer } from "../support/echo_server.ts";
import { type HeldBackend, startHeldBackend } from "../support/held_backend.ts";
import { HttpSession } from "../support/http_session.ts";
import { startManagement, type TestManagement, TOKENS } from "../support/management.ts";
import { proves } from "../support/proves.ts";
import { clientOf } from "./scripted.ts";

type GatewayEvent = RouteAnswer<"eventStream">;

/** Entries up to the first one that `isIt`. */
async function upTo<Data>(
  entries: AsyncIterator<Followed<Data>>,
  isIt: (data: Data) => boolean,
): Promise<Data[]> {
  const taken: Data[] = [];
  for (;;) {
    const { done, value } = await entries.next();
    assert.ok(done !== true, "the stream ended");
    assert.equal(value.kind, "event");
    if (value.kind === "event") taken.push(value.data);
    if (value.kind === "event" && isIt(value.data)) return taken;
  }
}

const cursorsOf = (events: readonly GatewayEvent[]) => events.map(({ cursor }) => Number(cursor));

const NO_ROWS: AuditReader = {
  search: () => Promise.resolve([]),
  runs: () => Promise.resolve([]),
  run: () => Promise.resolve([]),
};

describe("the client and a gateway", () => {
  let management: TestManagement;
  let echo: RunningServer;
  let changing: HeldBackend;
  let url: string;
  afterEach(async () => {
    await management.stop();
    await echo.close();
    await changing.close();
  });

  async function start(): Promise<HttpSession> {
    echo = await startEchoServer();
    changing = await startHeldBackend();
    const backends = { a: { url: echo.url }, h: changing.config };
    management = await startManagement({
      config: { backends, management: { allow_shutdown: true } },
      control: { audit: () => ({ reader: NO_ROWS, run: "0196" }) },
    });
    url = (await management.listen()).origin;
    const session = await HttpSession.open(management.gateway.core.fetch);
    await session.request("tools/list");
    return session;
  }

  const admin = () => clientOf(url, { token: TOKENS.admin });

  proves(["S2"], "understand each other on every route", async () => {
    const mcp = await start();
    assert.equal((await mcp.call("a__echo", { text: "x" }))["error"], undefined);
    const client = admin();
    const name = { params: { name: "a" } };
    const tool = { params: { kind: "tool", name: "a__echo" } };
    const kill = { params: { scope: "tools", name: "a__*" } };
    const { items: [opened] } = await client.request("sessions");
    const session = { params: { id: opened?.id ?? "" } };
    const held = await changing.hold(management.gateway.core.control, "h");
    const routes: { readonly [Name in RequestRoute]: () => Promise<RouteAnswer<Name>> } = {
      health: () => client.request("health"),
      live: () => client.request("live"),
      ready: () => client.request("ready"),
      openapi: () => client.request("openapi"),
      metrics: () => client.request("metrics"),
      status: () => client.request("status"),
      backends: () => client.request("backends", { query: { filter: "state:ready", limit: 1 } }),
      backend: () => client.request("backend", name),
      backendLogs: () => client.request("backendLogs", name),
      reconnect: () => client.request("reconnect", name),
      capabilities: () => client.request("capabilities"),
      refused: () => client.request("refused"),
      capability: () => client.request("capability", tool),
      approve: () =>
        client.request("approve", { params: { name: "h__t" }, body: { hash: held.tool } }),
      approvePrompt: () =>
        client.request("approvePrompt", { params: { name: "h__p" }, body: { hash: held.prompt } }),
      events: () => client.request("events", { query: { after: 0 } }),
      sessions: () => client.request("sessions"),
      session: () => client.request("session", session),
      closeSession: () => client.request("closeSession", session),
      audit: () => client.request("audit", { query: { filter: "kind:call", order: "oldest" } }),
      auditRuns: () => client.request("auditRuns"),
      auditRun: () => client.request("auditRun", { params: { instance: "current" } }),
      limits: () => client.request("limits"),
      killSwitches: () => client.request("killSwitches"),
      kill: () => client.request("kill", { ...kill, body: { reason: "broken" } }),
      clearKill: () => client.request("clearKill", kill),
      config: () => client.request("config"),
      diff: () => client.request("diff"),
      reload: () => client.request("reload"),
      logLevel: () => client.request("logLevel", { body: { level: "debug", minutes: 5 } }),
      shutdown: () => client.request("shutdown"),
    };
    const asked = new Map<RouteName, unknown>();
    for (const [route, ask] of Object.entries(routes)) {
      asked.set(route as RouteName, await ask());
    }
    const all = Object.keys(ROUTES) as RouteName[];
    const once = all.filter((route) => ROUTES[route].answers !== "events");
    assert.deepEqual([...asked.keys()].toSorted(), once.toSorted());
    assert.match(String(asked.get("metrics")), /^# HELP /m);
    assert.equal((asked.get("backends") as RouteAnswer<"backends">).items[0]?.name, "a");
    assert.equal((asked.get("kill") as RouteAnswer<"kill">).matches, 1);
    assert.equal(management.gateway.stopWanted, true);
  });

  test("do an operation once, however often it is sent with one key", async () => {
    await start();
    const asked = { params: { scope: "tools", name: "a__echo" }, body: { reason: "x" } } as const;
    const first = await admin().request("kill", { ...asked, idempotencyKey: "once" });
    const second = await admin().request("kill", { ...asked, idempotencyKey: "once" });
    assert.deepEqual(second, first);
    const third = await admin().request("kill", asked);
    assert.notEqual(third.id, first.id);
  });

  test("name what is refused, and why", async () => {
    await start();
    const failures: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["unauthorized", () => clientOf(url, { token: TOKENS.wrong }).request("status")],
      ["unauthorized", () => clientOf(url, { token: undefined }).request("status")],
      ["forbidden", () => clientOf(url, { token: TOKENS.read }).request("reload")],
      ["not_found", () => admin().request("backend", { params: { name: "nobody" } })],
      ["refused", () => admin().request("backends", { query: { filter: "stauts:ready" } })],
      ["refused", () => admin().request("backends", { query: { limit: 1001 } })],
      ["refused", () => admin().follow("eventStream", { from: "999999999" }).next()],
      ["refused", () => admin().follow("eventStream", { filter: "stauts:ready" }).next()],
    ];
    for (const [kind, failure] of failures) {
      await assert.rejects(failure(), (error) => {
        assert.ok(error instanceof ManagementError, String(error));
        assert.equal(error.kind, kind, error.message);
        assert.ok(error.code !== undefined && error.request !== undefined, error.message);
        return true;
      });
    }
    const { last } = (await admin().request("status")).events;
    await assert.rejects(admin().follow("eventStream", { from: "999999999" }).next(), {
      code: "CURSOR_UNKNOWN",
      last,
    });
  });

  test("list everything over pages", async () => {
    await start();
    const client = admin();
    for (let index = 0; index < 25; index++) {
      const params = { scope: "tools", name: `t${index}` };
      await client.request("kill", { params, body: { reason: "x" } });
    }
    const names: string[] = [];
    for await (const item of client.all("killSwitches", { query: { limit: 4 } })) {
      names.push(item.name);
    }
    assert.equal(new Set(names).size, 25);
    assert.equal(names.length, 25);
    const cursors: number[] = [];
    for await (const { cursor } of client.all("events", { query: { after: "0", limit: 7 } })) {
      cursors.push(Number(cursor));
    }
    assert.ok(cursors.length >= 25);
    assert.deepEqual(cursors, cursors.toSorted((a, b) => a - b));
    assert.equal(new Set(cursors).size, cursors.length);
  });

  proves(["S2"], "follow events over lost connections without a gap or a repetition", async () => {
    await start();
    const client = admin();
    const states: StreamState[] = [];
    const waits: (() => void)[] = [];
    // Connections break when the test says so; the wait for the next attempt is skipped.
    const breaks = new Set<AbortController>();
    const fetch = async (address: string, init: RequestInit) => {
      const line = new AbortController();
      breaks.add(line);
      const signals = [line.signal, ...(init.signal instanceof AbortSignal ? [init.signal] : [])];
      return await globalThis.fetch(address, { ...init, signal: AbortSignal.any(signals) });
    };
    const clock = {
      now: () => 0,
      after: (ms: number, run: () => void) => {
        if (ms <= 1000) waits.push(run);
        return () => {};
      },
    };
    const following = clientOf(url, { token: TOKENS.read, fetch, clock }).follow("eventStream", {
      from: "oldest",
      filter: "event:kill.*",
      onState: (state) => {
        states.push(state);
        if (state.retryInMs !== undefined) setTimeout(() => waits.shift()?.(), 0);
      },
    });
    const seen: GatewayEvent[] = [];
    for (let round = 0; round < 20; round++) {
      const body = { reason: `round ${round}` };
      await client.request("kill", { params: { scope: "tools", name: "a__echo" }, body });
      if (round % 2 === 0) continue;
      const isRound = ({ fields }: GatewayEvent) => fields["reason"] === body.reason;
      seen.push(...await upTo(following, isRound));
      for (const line of breaks) line.abort();
      breaks.clear();
    }
    await following.return?.();
    assert.deepEqual(
      seen.map(({ fields }) => fields["reason"]),
      Array.from({ length: 20 }, (_, round) => `round ${round}`),
    );
    assert.deepEqual(cursorsOf(seen), cursorsOf(seen).toSorted((a, b) => a - b));
    assert.ok(states.filter(({ state }) => state === "live").length >= 10);
    assert.equal(states.at(-1)?.state, "gone");
  });

  test("follow calls as they end", { timeout: 30_000 }, async () => {
    const session = await start();
    const { promise: live, resolve } = Promise.withResolvers<void>();
    const onState = ({ state }: StreamState) => state === "live" && resolve();
    const calls = admin().follow("callStream", { filter: "method:tools/call", onState });
    const next = upTo(calls, () => true);
    await live;
    await session.call("a__echo", { text: "secret argument" });
    const [call] = await next;
    assert.equal(call?.name, "a__echo");
    assert.equal(call?.backend, "a");
    assert.ok(!JSON.stringify(call).includes("secret argument"));
    await calls.return?.();
  });

  test(
    "say when the token is taken away while a stream is followed",
    { timeout: 30_000 },
    async () => {
      await start();
      const states: StreamState[] = [];
      const onState = (state: StreamState) => void states.push(state);
      const events = admin().follow("eventStream", { from: "oldest", onState });
      await events.next();
      const rest = (async () => {
        while (!(await events.next()).done);
      })();
      management.settings = { ...management.settings, tokens: [] };
      management.gateway.core.control.events.beside({ write() {} }).write("gateway.started");
      await assert.rejects(rest, { kind: "unauthorized" });
      assert.equal(states.at(-1)?.state, "unauthorized");
    },
  );

  test("end a stream quietly when the gateway stops", { timeout: 30_000 }, async () => {
    await start();
    const states: StreamState[] = [];
    const onState = (state: StreamState) => void states.push(state);
    const events = admin().follow("eventStream", { from: "oldest", onState });
    await events.next();
    const rest = (async () => {
      while (!(await events.next()).done);
    })();
    management.manage.closeStreams();
    await rest;
    assert.equal(states.at(-1)?.error?.code, "STOPPING");
    assert.equal(states.at(-1)?.state, "gone");
  });
});
