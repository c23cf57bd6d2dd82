import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseFilter } from "../../../src/contract/filter.ts";
import type { Field } from "../../../src/contract/filter/field.ts";
import { FILTERS } from "../../../src/contract/manage/filters.ts";
import {
  type CallRecord,
  type Capability,
  type KillSwitch,
  type LimitStatus,
  type RouteRow,
  ROUTES,
  type SessionStatus,
} from "../../../src/contract/manage/mod.ts";
import type { BackendStatus, GatewayEvent, RefusedItem } from "../../../src/contract/mod.ts";

const NOW = Date.UTC(2026, 10, 20, 12);
const AT = "2026-11-20T11:30:00.000Z";

const backend: BackendStatus = {
  name: "github",
  alias: "gh",
  kind: "http",
  state: "backoff",
  since: AT,
  lastError: "connect ECONNREFUSED",
  stderr: [],
  restarts: 3,
  tools: 12,
  prompts: 0,
  resources: 0,
  templates: 0,
  inFlight: 1,
  queued: 0,
  circuit: { state: "closed", tools: [] },
  lost: [],
  links: 1,
  traffic: { callsPerMinute: 40, errorRatio: 0.25, p95Ms: 900 },
  dropped: { foreign: 0, duplicate: 0, late: 0, invalid: 0, unattributed: 0 },
};

const capability: Capability = {
  kind: "tool",
  name: "gh__search",
  backend: "github",
  original: "search",
  description: "Searches code",
  hash: "abc",
  toolsets: ["reading", "all"],
  roles: ["developer"],
  killed: "INC-1042",
  findings: [{ kind: "url", path: "$.description" }],
};

const refused: RefusedItem = { backend: "github", kind: "tool", name: "x", reason: "too long" };

const session: SessionStatus = {
  id: "8f2c00112233",
  client: "claude-code 2.4",
  transport: "streamable_http",
  protocol: "2025-06-18",
  openedAt: AT,
  idleSeconds: 90,
  calls: 118,
  inFlight: 0,
  streams: 1,
  restored: [],
  lost: [],
};

const killSwitch: KillSwitch = {
  scope: "tools",
  name: "gh__delete_*",
  reason: "INC-1042",
  by: "anna",
  since: AT,
  from: "operator",
  matches: 3,
};

const limit: LimitStatus = {
  caller: "https://login.example.com anna",
  name: "gh__search",
  limit: "30/min",
  burst: 10,
  used: 10,
  rejected: 41,
  nextMs: 12_000,
};

const event: GatewayEvent = {
  cursor: "7",
  at: AT,
  event: "backend.failed",
  severity: "error",
  fields: { backend: "github", reason: "refused", session: "8f2c00112233", tool: "gh__search" },
};

const call: CallRecord = {
  request: "0193",
  at: AT,
  method: "tools/call",
  name: "gh__search",
  backend: "github",
  outcome: "timeout",
  error: "BACKEND_TIMEOUT",
  durationMs: 60_000,
  session: "8f2c00112233",
  transport: "streamable_http",
  era: "legacy",
  protocol: "2025-06-18",
};

const ITEMS = {
  backends: backend,
  capabilities: capability,
  refused,
  sessions: session,
  limits: limit,
  killSwitches: killSwitch,
  events: event,
  eventStream: event,
  callStream: call,
} as const;

type Filtered = keyof typeof ITEMS;

function matches(route: Filtered, filter: string, item: unknown = ITEMS[route]): boolean {
  return parseFilter(filter, FILTERS[route] as never, NOW).matches(item as never);
}

function expects(route: Filtered, yes: readonly string[], no: readonly string[]): void {
  for (const filter of yes) assert.equal(matches(route, filter), true, `${route} ${filter}`);
  for (const filter of no) assert.equal(matches(route, filter), false, `${route} ${filter}`);
}

describe("FILTERS", () => {
  it("has every route that takes a filter, and no other", () => {
    const taking = Object.entries<RouteRow>(ROUTES).filter(([, { query }]) =>
      query !== undefined && "entries" in query && "filter" in (query.entries as object)
    ).map(([name]) => name);
    assert.deepEqual(Object.keys(FILTERS).toSorted(), taking.toSorted());
  });

  it("describes every field in a sentence", () => {
    for (const { fields } of Object.values(FILTERS)) {
      for (const [name, field] of Object.entries(fields)) {
        assert.match(field.about, /^[A-Z].*\.$/, name);
      }
    }
  });

  for (const route of Object.keys(ITEMS) as Filtered[]) {
    it(`finds what each field of ${route} holds`, () => {
      const fields: Readonly<Record<string, Field<never>>> = FILTERS[route].fields;
      for (const [name, { kind, of }] of Object.entries(fields)) {
        const value: unknown = of(ITEMS[route] as never);
        const first: unknown = Array.isArray(value) ? value[0] : value;
        if (first === undefined) continue;
        const wanted = kind === "until" ? "1m" : kind === "text" ? `"${first}"` : String(first);
        assert.equal(matches(route, `${name}:${wanted}`), true, `${name}:${wanted}`);
        assert.equal(matches(route, `-${name}:${wanted}`), false, `-${name}:${wanted}`);
      }
    });

    it(`finds words in every text of ${route}`, () => {
      for (const text of FILTERS[route].texts(ITEMS[route] as never)) {
        const word = /\w+/.exec(text ?? "")?.[0];
        if (word !== undefined) assert.equal(matches(route, word.toUpperCase()), true, word);
      }
      assert.equal(matches(route, "xyzzy"), false);
    });
  }

  it("takes broken backends together as status:error", () => {
    expects("backends", ["status:error", "status:backoff", "state:backoff"], ["-status:error"]);
    for (const state of ["fatal", "needs_login", "degraded"] as const) {
      assert.equal(matches("backends", "status:error", { ...backend, state }), true, state);
    }
    for (const state of ["ready", "starting", "disabled", "stopped"] as const) {
      assert.equal(matches("backends", "status:error", { ...backend, state }), false, state);
    }
  });

  it("answers what operators ask of backends", () => {
    expects("backends", ["econnrefused", "errors:>0.2", "p95:>500ms", "since:1h", "killed:no"], [
      "killed:yes",
      "since:10m",
      "tools:<5",
      "-gh",
    ]);
  });

  it("takes everything but ok together as status:error of calls", () => {
    expects("callStream", ["status:error", "status:timeout", "tool:gh__*", "latency:>=1m"], [
      "status:ok",
      "tool:other",
    ]);
    assert.equal(matches("callStream", "status:error", { ...call, outcome: "ok" }), false);
    assert.equal(matches("callStream", "tool:*", { ...call, method: "prompts/get" }), false);
  });

  it("finds what has been switched off", () => {
    expects("capabilities", ["killed:yes", "toolset:all", "role:dev*", "tool:gh__*"], [
      "killed:no",
    ]);
    expects("killSwitches", ["scope:tools", "from:operator by:anna"], ["from:config"]);
  });

  it("reads the members of events, whatever their type", () => {
    expects("events", ["severity:error,warn", "status:error", "backend:git*", "refused"], [
      "backend:other",
      "by:*",
    ]);
    const strange = { ...event, fields: { backend: 7, by: { name: "a" }, tool: ["x", "y"] } };
    assert.equal(matches("events", "backend:*", strange), false);
    assert.equal(matches("events", "by:*", strange), false);
    assert.equal(matches("events", "tool:y", strange), true);
  });

  it("finds idle sessions", () => {
    expects("sessions", ["idle:>1m", "client:claude-code*", "calls:>100"], ["idle:>2m"]);
  });
});
