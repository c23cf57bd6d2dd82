import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import type { Control } from "../../src/core/mod.ts";
import type { BackendStatus } from "../../src/contract/status.ts";
import { withOperator } from "./operator.ts";

const NOW = Date.UTC(2026, 10, 20, 14, 2, 11);
const clock = {
  now: () => NOW,
  after: (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
/** The pause between two looks passes at once; the time an answer may take does not. */
const impatient = {
  now: clock.now,
  after: (ms: number, run: () => void) => clock.after(ms === 2000 ? 0 : ms, run),
};
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

function backend(name: string, members: Partial<BackendStatus> = {}): BackendStatus {
  return {
    name,
    alias: name,
    kind: "http",
    state: "ready",
    since: ago(3 * 86_400),
    protocol: "2025-11-25",
    stderr: [],
    restarts: 0,
    tools: 12,
    prompts: 0,
    resources: 0,
    templates: 0,
    inFlight: 0,
    queued: 0,
    circuit: { state: "closed", tools: [] },
    lost: [],
    links: 1,
    traffic: { callsPerMinute: 98, errorRatio: 0.004, p50Ms: 84, p95Ms: 812 },
    dropped: { foreign: 0, duplicate: 0, late: 0, invalid: 0, unattributed: 0 },
    ...members,
  };
}

const IDLE = { callsPerMinute: 0, errorRatio: 0 };
const BACKENDS: readonly BackendStatus[] = [
  backend("context7", { kind: "stdio", state: "disabled", tools: 0, traffic: IDLE }),
  backend("firecrawl", {
    kind: "stdio",
    state: "backoff",
    since: ago(40),
    lastError: "exited before initialize",
    exitCode: 1,
    stderr: ["at main (index.js:12:9)", "Error: FIRECRAWL_API_KEY is required"],
    nextRetry: ago(-14),
    restarts: 5,
    tools: 0,
    traffic: IDLE,
  }),
  backend("legacy", { killed: "INC-1042", traffic: IDLE }),
  backend("n8n", { inFlight: 3 }),
];

const STATUS: ReturnType<Control["status"]> = {
  name: "team-gateway",
  state: "degraded",
  reasons: ["firecrawl: backoff"],
  readiness: { status: "ready", state: "degraded", reasons: ["1 backend backoff"] },
  revision: 12,
  startedAt: ago(273_600),
  uptimeSeconds: 273_600,
  config: {
    source: "sentinel.toml",
    hash: "7f3a9c012345",
    loadedAt: ago(60),
    loadedBy: "file watch",
    restartPending: ["server.listen"],
  },
  backends: { total: 4, states: { ready: 2, backoff: 1, disabled: 1 } },
  catalog: { revision: 3, tools: 142, prompts: 0, resources: 0, templates: 0, refused: 3 },
  sessions: 37,
  parked: 0,
  listens: 0,
  inFlight: 3,
  traffic: { callsPerMinute: 412, errorRatio: 0.012, p50Ms: 84, p95Ms: 1900 },
  killSwitches: 1,
  stores: [
    { name: "state", kind: "sqlite", ok: true },
    { name: "journal", kind: "file", ok: false, error: "no space left on device" },
  ],
  audit: {
    store: "sqlite",
    written: 2412,
    committed: 2409,
    queued: 3,
    dropped: 0,
    open: 1,
    journalBytes: 4096,
    journalMaxBytes: 1_073_741_824,
    ok: true,
  },
  events: { oldest: "1", last: "88412" },
  log: { level: "info" },
};

const PING = { at: ago(3), ok: true, ms: 12 };
const TROUBLED: readonly BackendStatus[] = [
  backend("busy", {
    inFlight: 32,
    queued: 2,
    links: 3,
    lastPing: { ...PING, ok: false, ms: 5000 },
    circuit: { state: "closed", tools: ["a", "b", "c", "d"] },
    lost: ["2026-11-20 subscriptions: a://b"],
  }),
  // Its state says more than its circuit.
  backend("gone", {
    state: "backoff",
    nextRetry: ago(-14),
    traffic: IDLE,
    circuit: { state: "open", until: ago(-14), tools: [] },
  }),
  backend("open", {
    kind: "stdio",
    lastPing: PING,
    circuit: { state: "open", until: ago(-14), tools: [] },
  }),
  backend("probed", { circuit: { state: "half_open", tools: [] } }),
];

function readyWith(readiness?: typeof STATUS.readiness): typeof STATUS {
  const well = { status: "ready", state: "ready", reasons: [] } as const;
  return { ...STATUS, state: "ready", reasons: [], readiness: readiness ?? well };
}

const control = { status: () => STATUS, backends: () => BACKENDS };

describe("status", () => {
  it("is one screen: summary, then the backends, worst first", () =>
    withOperator({ control }, async ({ run }) => {
      const { code, out, err } = await run(["status"], { clock });
      assert.equal(err, "");
      assert.equal(code, 6);
      assert.equal(
        out,
        `team-gateway  degraded   up 3d 4h   config 7f3a9c012345 (by file watch)   0.0.0-test on node 24.0.0
  firecrawl: backoff
  backends  2 ready  1 backoff  1 disabled      tools 142 (3 left out)
  calls     412/min  err 1.2%  p50 84ms  p95 1.9s     sessions 37  in flight 3
  audit     sqlite ok  queued 3  dropped 0
  endpoint  http://127.0.0.1:8808/mcp
  store     journal: no space left on device
  kill      1 switch set: mcp-sentinel kill list
  restart   waits for: server.listen

NAME       KIND   STATE          TOOLS  CALLS/M   ERR    P95  DETAIL
firecrawl  stdio  backoff            0        0     –      –  exit 1, retry in 14s (5 so far): exited before initialize · Error: FIRECRAWL_API_KEY is required
legacy     http   ready, killed     12        0     –      –  killed: INC-1042
n8n        http   ready             12       98  0.4%  812ms
context7   stdio  disabled           0        0     –      –
`,
      );
    }));

  it("fits the terminal, unless it may be wide", () =>
    withOperator({ control }, async ({ run }) => {
      const terminal = { clock, terminal: true, env: { NO_COLOR: "1" } };
      const narrow = await run(["backends", "list"], { ...terminal, columns: 80 });
      assert.equal(
        narrow.out,
        `NAME       KIND   STATE          TOOLS  CALLS/M   ERR    P95  DETAIL
firecrawl  stdio  backoff            0        0     –      –  exit 1, retry in…
legacy     http   ready, killed     12        0     –      –  killed: INC-1042
n8n        http   ready             12       98  0.4%  812ms
context7   stdio  disabled           0        0     –      –
`,
      );
      const wide = await run(["backends", "list", "-o", "wide"], { ...terminal, columns: 80 });
      const [heading = "", first = ""] = wide.out.split("\n");
      assert.match(
        heading,
        /SINCE {2}TRIES {2}IN FLIGHT {2}WAITING {2}PING {2}LINKS {2}PID {2}PROTO/,
      );
      assert.match(first, /FIRECRAWL_API_KEY is required$/);
    }));

  it("has color on a terminal only", () =>
    withOperator({ control }, async ({ run }) => {
      const plain = await run(["status"], { clock });
      assert.ok(!plain.out.includes("\u001b"));
      const colored = await run(["status"], { clock, terminal: true, columns: 200 });
      assert.ok(colored.out.includes("\u001b[33m"));
    }));

  it("of a ready gateway is exit code 0, also while it refuses a burst of requests", () =>
    withOperator({ control: { ...control, status: () => readyWith() } }, async ({ run }) => {
      assert.equal((await run(["status"])).code, 0);
      assert.equal((await run(["status", "--json"])).code, 0);
    }));

  it("tells why load balancers send no calls, and of an overload", async () => {
    const readiness = { state: "ready", reasons: ["overloaded"] } as const;
    const unready = () => readyWith({ ...readiness, status: "unready" });
    await withOperator({ control: { ...control, status: unready } }, async ({ run }) => {
      const { code, out } = await run(["status"]);
      assert.equal(code, 6);
      assert.match(out, /^ {2}ready {5}no: overloaded$/m);
      const json = await run(["status", "--json"]);
      assert.equal(json.code, 6);
      assert.equal(JSON.parse(json.out).readiness.status, "unready");
    });
    const short = () => readyWith({ ...readiness, status: "ready" });
    await withOperator({ control: { ...control, status: short } }, async ({ run }) => {
      const { code, out } = await run(["status"]);
      assert.equal(code, 0);
      assert.match(out, /^ {2}ready {5}yes, but overloaded: new requests are refused$/m);
    });
  });

  it("shows circuits that are not closed, calls that wait and pings that fail", () =>
    withOperator({ control: { ...control, backends: () => TROUBLED } }, async ({ run }) => {
      const { out } = await run(["backends", "list"], { clock });
      const rows = out.split("\n").map((line) => line.replace(/ {2,}/g, " | "));
      assert.deepEqual(rows.slice(1, -1), [
        "gone | http | backoff | 12 | 0 | – | – | retry in 14s (0 so far)",
        "open | stdio | ready, circuit open | 12 | 98 | 0.4% | 812ms | circuit open, next probe in 14s",
        "probed | http | ready, half open | 12 | 98 | 0.4% | 812ms | circuit half open: one probe decides",
        "busy | http | ready | 12 | 98 | 0.4% | 812ms | circuit not closed of a, b, c and 1 more · 2 calls wait for their turn · the last ping failed",
      ]);
      const narrow = await run(["backends", "list"], { clock, terminal: true, columns: 80 });
      for (const line of stripVTControlCharacters(narrow.out).split("\n")) {
        assert.ok(line.length <= 80, line);
      }
      const wide = (await run(["backends", "list", "-o", "wide"], { clock })).out.split("\n");
      assert.match(wide[0] ?? "", /IN FLIGHT {2}WAITING {4}PING {2}LINKS/);
      assert.match(wide[4] ?? "", /^busy .* 32 +2 +failed +3 /);
    }));

  it("shows of one backend its circuits, its last ping and what it has forgotten", () => {
    const backend = (name: string) => TROUBLED.find((each) => each.name === name) as BackendStatus;
    return withOperator({ control: { backend } }, async ({ run }) => {
      const busy = await run(["backends", "show", "busy"], { clock });
      assert.match(busy.out, /\n {2}circuit {7}closed; not closed of a, b, c, d\n/);
      assert.match(busy.out, /\n {2}last ping {5}failed after 5\.0s, 3s ago\n/);
      assert.match(busy.out, /\n {2}in flight {5}32 over 3 connections, 2 waiting\n/);
      assert.match(busy.out, /\n\nFORGOTTEN BY IT\n {2}2026-11-20 subscriptions: a:\/\/b\n$/);
      const open = await run(["backends", "show", "open"], { clock });
      assert.match(open.out, /\n {2}circuit {7}open, next probe in 14s\n/);
      assert.match(open.out, /\n {2}last ping {5}answered after 12ms, 3s ago\n/);
      assert.match(open.out, /\n {2}in flight {5}0 over 1 process\n/);
    });
  });

  it("shows one backend with its cause, and never obeys what it wrote", () =>
    withOperator({
      control: {
        backend: () => ({
          ...BACKENDS[1] as BackendStatus,
          stderr: ["\u001b[2J\u009bevil", "a\nb"],
        }),
      },
    }, async ({ run }) => {
      const { out } = await run(["backends", "show", "firecrawl"], { clock });
      assert.match(out, /^firecrawl\n {2}state {9}backoff for 40s\n/);
      assert.match(out, /last error {4}exited before initialize\n {2}exit {10}1\n/);
      assert.match(out, /next try {6}in 14s/);
      assert.match(out, /\nSTDERR\n {2}\\x1b\[2J\\x9bevil\n {2}a\\nb\n$/);
    }));

  it("watch looks again until Ctrl-C; its JSON is one object a line", () =>
    withOperator({ control }, async ({ run }) => {
      const stop = new AbortController();
      let looks = 0;
      const onOut = () => {
        looks++;
        if (looks === 3) stop.abort();
      };
      const options = { clock: impatient, interrupt: stop.signal, onOut };
      const { code, out } = await run(["status", "--watch", "--json"], options);
      assert.equal(code, 130);
      const lines = out.trimEnd().split("\n").map((line) => JSON.parse(line));
      assert.equal(lines.length, 3);
      for (const line of lines) assert.equal(line.schema, "mcp-sentinel/v1/status");
    }));
});
