import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import {
  type RouteName,
  type RouteRow,
  ROUTES,
  type Scope,
} from "../../src/contract/manage/mod.ts";
import { SystemClock } from "../../src/hosts/clock.ts";
import {
  type Answer,
  startManagement,
  type TestManagement,
  TOKENS,
} from "../support/management.ts";
import { proves } from "../support/proves.ts";

interface Cell {
  /** What the route has to ask for; said a second time, so that a slip in the table is seen. */
  readonly scope: Scope;
  readonly target: string;
  readonly body?: unknown;
  /** Status for who may; 200 unless the target is not there. */
  readonly status?: number;
}

const BASE = "/manage/v1";
const CELLS: Readonly<Record<RouteName, Cell>> = {
  health: { scope: "public", target: `${BASE}/health` },
  live: { scope: "public", target: "/health" },
  ready: { scope: "public", target: "/ready", status: 503 },
  openapi: { scope: "public", target: `${BASE}/openapi.json` },
  metrics: { scope: "read", target: "/metrics" },
  status: { scope: "read", target: `${BASE}/status` },
  backends: { scope: "read", target: `${BASE}/backends` },
  backend: { scope: "read", target: `${BASE}/backends/off` },
  backendLogs: { scope: "read", target: `${BASE}/backends/off/logs` },
  reconnect: { scope: "admin", target: `${BASE}/backends/off/reconnect`, body: {}, status: 409 },
  capabilities: { scope: "read", target: `${BASE}/capabilities` },
  refused: { scope: "read", target: `${BASE}/capabilities/refused` },
  capability: { scope: "read", target: `${BASE}/capabilities/tool/none`, status: 404 },
  approve: {
    scope: "admin",
    target: `${BASE}/tools/none/approve`,
    body: { hash: "0".repeat(64) },
    status: 404,
  },
  approvePrompt: {
    scope: "admin",
    target: `${BASE}/prompts/none/approve`,
    body: { hash: "0".repeat(64) },
    status: 404,
  },
  events: { scope: "read", target: `${BASE}/events` },
  eventStream: { scope: "read", target: `${BASE}/events/stream` },
  callStream: { scope: "read", target: `${BASE}/calls/stream` },
  sessions: { scope: "read", target: `${BASE}/sessions` },
  session: { scope: "read", target: `${BASE}/sessions/0123456789ab`, status: 404 },
  closeSession: { scope: "admin", target: `${BASE}/sessions/0123456789ab`, status: 404 },
  audit: { scope: "read", target: `${BASE}/audit`, status: 403 },
  auditRuns: { scope: "read", target: `${BASE}/audit/runs`, status: 403 },
  auditRun: { scope: "read", target: `${BASE}/audit/runs/current`, status: 403 },
  limits: { scope: "read", target: `${BASE}/limits` },
  killSwitches: { scope: "read", target: `${BASE}/kill-switches` },
  kill: { scope: "admin", target: `${BASE}/kill-switches/tools/x`, body: { reason: "test" } },
  clearKill: { scope: "admin", target: `${BASE}/kill-switches/tools/y`, status: 404 },
  config: { scope: "read", target: `${BASE}/config` },
  diff: { scope: "read", target: `${BASE}/config/diff`, body: {} },
  reload: { scope: "admin", target: `${BASE}/reload`, body: {} },
  logLevel: { scope: "admin", target: `${BASE}/log-level`, body: { level: "info" } },
  shutdown: { scope: "admin", target: `${BASE}/shutdown`, body: {}, status: 403 },
};

/** What each kind of credential is worth. */
const CREDENTIALS = [
  { name: "no token", token: undefined, scopes: ["public"] },
  { name: "a wrong token", token: TOKENS.wrong, scopes: ["public"] },
  { name: "an empty token", token: "", scopes: ["public"] },
  { name: "an expired token", token: TOKENS.expired, scopes: ["public"] },
  { name: "a read token", token: TOKENS.read, scopes: ["public", "read"] },
  { name: "an admin token", token: TOKENS.admin, scopes: ["public", "read", "admin"] },
  { name: "its successor", token: TOKENS.adminNext, scopes: ["public", "read", "admin"] },
] as const satisfies readonly { name: string; token: string | undefined; scopes: Scope[] }[];

const NAMES = Object.keys(ROUTES) as RouteName[];

describe("authorization of the management API", () => {
  let management: TestManagement | undefined;
  afterEach(async () => {
    await management?.stop();
    management = undefined;
  });

  /** The clock is the machine's: the token that has expired did so in 2025. */
  async function start(): Promise<TestManagement> {
    management = await startManagement({
      config: { backends: { off: { url: "http://127.0.0.1:1/mcp", enabled: false } } },
    });
    return management;
  }

  test("every route has a cell with the scope of the table, and the reverse", () => {
    assert.deepEqual(Object.keys(CELLS).toSorted(), NAMES.toSorted());
    for (const name of NAMES) assert.equal(ROUTES[name].scope, CELLS[name].scope, name);
  });

  for (const { name: credential, token, scopes } of CREDENTIALS) {
    proves(["S3"], `every route × ${credential}`, async () => {
      const { ask, gateway } = await start();
      for (const [index, name] of NAMES.entries()) {
        const { scope, target, body, status = 200 } = CELLS[name];
        const before = gateway.journal.entries.length;
        const row: RouteRow = ROUTES[name];
        // One address each: this is about tokens, not about guessing.
        const answer = await ask(row.method, target, {
          token,
          body,
          address: `192.0.2.${index + 1}`,
        });
        await discard(answer);
        const entries = gateway.journal.entries.slice(before);
        if (scopes.some((known) => known === scope)) {
          assert.equal(answer.status, status, `${name}: ${JSON.stringify(answer.json)}`);
          assert.equal(entries.filter(({ kind }) => kind === "refusal").length, 0, name);
          continue;
        }
        const code = scopes.length === 1 ? "UNAUTHENTICATED" : "INSUFFICIENT_SCOPE";
        assert.equal(answer.json.error.code, code, name);
        assert.equal(answer.status, code === "UNAUTHENTICATED" ? 401 : 403, name);
        assert.equal(
          answer.headers["www-authenticate"],
          code === "UNAUTHENTICATED" ? "Bearer" : undefined,
        );
        // Recorded, and nothing else: whatever the route does has not begun.
        assert.deepEqual(entries.map(({ kind }) => kind), ["refusal"], name);
      }
    });
  }

  proves(
    ["S4"],
    "the journal says who was turned away, and why; the caller is not told",
    async () => {
      const { ask, gateway } = await start();
      const bodies = new Set<string>();
      for (const headers of [{}, { authorization: "Basic eA==" }, { authorization: "Bearer" }]) {
        bodies.add(shapeOf(await ask("GET", `${BASE}/status`, { headers })));
      }
      for (const token of [TOKENS.wrong, TOKENS.expired]) {
        bodies.add(shapeOf(await ask("GET", `${BASE}/status`, { token })));
      }
      assert.equal(bodies.size, 1);
      const refusals = gateway.journal.entries.filter((entry) => entry.kind === "refusal");
      assert.deepEqual(refusals.map(({ why }) => why), [
        "no Authorization header",
        "the Authorization header has no bearer token",
        "the Authorization header has no bearer token",
        "unknown token",
        'token "former" has expired',
      ]);
      assert.ok(!JSON.stringify(refusals).includes(TOKENS.wrong));
    },
  );

  test("a refusal that cannot be recorded is no answer either", async () => {
    const broken = {
      append: () => {
        throw new Error("disk full");
      },
      close: () => {},
    };
    management = await startManagement({ journal: broken });
    const answer = await management.ask("GET", `${BASE}/status`, { token: TOKENS.wrong });
    assert.deepEqual([answer.status, answer.json.error.code], [503, "AUDIT_UNAVAILABLE"]);
  });

  test("tokens come in the header only", async () => {
    const { ask } = await start();
    const query = await ask("GET", `${BASE}/status?access_token=${TOKENS.admin}`);
    assert.equal(query.status, 401);
    const both = await ask("GET", `${BASE}/status?token=${TOKENS.admin}`, { token: TOKENS.read });
    assert.deepEqual([both.status, both.json.error.code], [400, "INVALID_PARAMS"]);
    const cookie = await ask("GET", `${BASE}/status`, {
      headers: { cookie: `token=${TOKENS.admin}` },
    });
    assert.equal(cookie.status, 401);
  });

  test("a reload takes tokens away and adds others at once", async () => {
    const running = await start();
    const { ask } = running;
    const next = { name: "next", scope: "read", value: "next-0123456789abcdef0123456789" } as const;
    running.settings = { ...running.settings, tokens: [next] };
    assert.equal((await ask("GET", `${BASE}/status`, { token: TOKENS.admin })).status, 401);
    assert.equal((await ask("GET", `${BASE}/status`, { token: next.value })).status, 200);
  });

  test("the health check needs a token when it is not public", async () => {
    const running = await start();
    running.settings = { ...running.settings, publicHealth: false };
    assert.equal((await running.ask("GET", `${BASE}/health`)).status, 401);
    const answer = await running.ask("GET", `${BASE}/health`, { token: TOKENS.read });
    assert.equal(answer.status, 200);
  });

  test("a token is valid up to its last moment", async () => {
    const running = await start();
    const now = new SystemClock().now();
    const token = { name: "soon", scope: "read", value: TOKENS.wrong } as const;
    running.settings = { ...running.settings, tokens: [{ ...token, expires: now + 3_600_000 }] };
    assert.equal((await running.ask("GET", `${BASE}/status`, { token: TOKENS.wrong })).status, 200);
    running.settings = { ...running.settings, tokens: [{ ...token, expires: now }] };
    assert.equal((await running.ask("GET", `${BASE}/status`, { token: TOKENS.wrong })).status, 401);
  });
});

/** An answer without what differs from request to request. */
function shapeOf({ status, headers, json: { error } }: Answer): string {
  return JSON.stringify({ status, headers, error: { ...error, request: undefined } });
}

async function discard({ body }: Answer): Promise<void> {
  if (body instanceof ReadableStream) await body.cancel();
}
