/**
 * What must be true, one row for each outcome the project exists for. Tests cite the ids with
 * `proves()`; the gate in `arch/requirements.test.ts` compares both directions.
 */

export interface Requirement {
  readonly text: string;
  /** Not built yet, and no test may claim it: why, in terms of the product. */
  readonly open?: string;
  /** Proven in part: what is still missing, in terms of the product. */
  readonly partly?: string;
}

export const REQUIREMENTS = {
  "G1.1": {
    text: "one build step gives a runnable artefact without errors or warnings",
  },
  "G1.2": {
    text: "a missing or malformed `sentinel.toml` fails fast with a clear error",
  },
  "G1.3": {
    text: "backends, role→tool mappings, limits and kill switches are typed configuration",
  },
  "G1.4": {
    text: "secrets come from environment or files, never from the configuration file",
  },
  "G1.5": {
    text: "request ids are remapped; no collision across backends",
  },
  "G2.1": {
    text: "`initialize` is answered with valid capabilities (2025-03-26 and every other revision)",
  },
  "G2.2": {
    text: "newline-delimited JSON-RPC on stdin/stdout",
  },
  "G2.3": {
    text: "`tools/list` of all backends becomes one catalog",
  },
  "G3.1": {
    text:
      "a call for a tool of an HTTP backend (n8n, sqlite) reaches it and the answer returns unchanged",
  },
  "G3.2": {
    text: "SSE answers are parsed as they come and forwarded",
  },
  "G3.3": {
    text:
      "timeouts and transient errors are retried where safe, with exponential backoff and jitter",
  },
  "G3.4": {
    text: "idle connections are reused, stale ones cleaned up",
  },
  "G4.1": {
    text: "a valid JWT (signature, expiry, issuer, audience) is accepted",
  },
  "G4.2": {
    text: "a missing, expired or malformed token is refused with a JSON-RPC error",
  },
  "G4.3": {
    text: "`tools/list` shows only what the role may use",
  },
  "G4.4": {
    text: "`tools/call` beyond the role is refused",
  },
  "G4.5": {
    text: "one function decides both",
  },
  "G5.1": {
    text:
      "each call leaves a row: time, client identity, tool, backend, arguments (as configured), status, latency",
  },
  "G5.2": {
    text: "each row has a request UUID that traces the call end to end",
  },
  "G5.3": {
    text: "a slow database never slows a call",
  },
  "G5.4": {
    text: "migrations run at start",
  },
  "G6.1": {
    text: "above the limit per client and tool: error with retry-after",
  },
  "G6.2": {
    text: "limits per tool, sensible defaults for the rest",
  },
  "G6.3": {
    text: "a disabled tool answers an error",
  },
  "G6.4": {
    text: "a disabled backend's tools answer errors",
  },
  "G7.1": {
    text: "`GET /health` 200 while the process runs",
  },
  "G7.2": {
    text: "`GET /ready` 200 with at least one backend reachable, else 503",
  },
  "G7.3": {
    text: "each backend is pinged periodically and tracked",
  },
  "G7.4": {
    text: "after N failures a backend fails fast (breaker)",
  },
  "G7.5": {
    text: "SIGTERM: drain, end children, flush audit, exit",
  },
  "G8.1": {
    text: "stdio backends are spawned from configuration (command, args, env) at start",
  },
  "G8.2": {
    text:
      "a call for a tool of a stdio backend (context7, firecrawl, exa, playwright, sequential-thinking) works",
  },
  "G8.3": {
    text: "concurrent calls share one stdin/stdout by id correlation",
  },
  "G8.4": {
    text: "a crashed child is detected and restarted with backoff",
  },
  "G8.5": {
    text: "at shutdown whole process groups end",
  },
  "G9.1": {
    text:
      "`GET /metrics`: request count, latency histogram, error rate, backend health, limit hits",
  },
  "G9.2": {
    text: "arguments are checked against the cached schema before the backend",
  },
  "G9.3": {
    text: "invalid arguments get a descriptive error and are never forwarded",
  },
  "G9.4": {
    text: "SIGHUP or a changed file reloads without a restart",
  },
  "G9.5": {
    text: "kill switches by reload hold for the next request",
  },
  "G10.1": {
    text: "a minimal multi-stage container image",
    partly: "The image is built and run outside of a container only.",
  },
  "G10.2": {
    text: "`docker compose up` starts gateway and Postgres with health checks and restart policies",
    partly: "The services are started outside of containers only.",
  },
  "G10.3": {
    text:
      "the seven servers (n8n, sqlite; context7, firecrawl, exa, playwright, sequential-thinking) answer as they did behind ContextForge",
  },
  "G10.4": {
    text: "ContextForge can be stopped and removed without loss",
    open: "The move is described and imported; no test has stopped a running ContextForge yet.",
  },
  "S1": {
    text:
      "a status snapshot exists without any UI or callback; all of it plain JSON with a monotonic revision",
  },
  "S2": {
    text:
      "a separate client reads live state: health, status, backends, capabilities, events, event stream",
  },
  "S3": {
    text:
      "management calls without a token are refused; localhost by default, remote only on purpose; TLS, mTLS; scopes `read` and `admin`",
  },
  "S4": {
    text: "auth failures and admin acts are audited",
  },
  "S5": {
    text:
      "reload and reconnect are serialised, idempotent and race-safe; shutdown optional and off",
  },
  "S6": {
    text: "closing the TUI does not stop the server; the TUI starts no server",
    open: "There is no TUI yet.",
  },
  "S7": {
    text:
      "one TUI manages many servers by named profiles (URL, token, TLS) and shows which one is active",
    open: "There is no TUI yet.",
  },
  "S8": {
    text:
      "commands `server` and `tui`, the `--management-*` options, the old way with a deprecation warning",
    partly: "The command `tui` is not there yet.",
  },
  "S9": {
    text: "docs: architecture, management contract, operations and security, migration",
  },
  "U1": {
    text:
      "sessions tracked for clients and backends, persisted (SQLite, Redis), surviving restarts",
  },
  "U2": {
    text:
      "interceptors for requests and responses in both directions, configurable and chainable, failing safely",
  },
  "U3": {
    text: "a rules engine and an HTTP policy interceptor",
  },
  "U4": {
    text: "SSE and WebSocket to clients",
  },
  "U5": {
    text: "heartbeats find dead peers",
  },
  "U6": {
    text: "connection pooling towards backends",
  },
  "U7": {
    text: "graceful shutdown without data loss",
  },
  "U8": {
    text: "an API to build and embed a gateway in a program",
  },
  "U9": {
    text:
      "speed as `performance.md` 9; ≤ 100 kB per session; 10,000+ sessions; start-up within its goal",
    open: "Measured by the project's own benchmarks; most goals of speed are missed.",
  },
  "U10": {
    text:
      "≥ 90 % of lines covered, full API docs, integration tests for all modes, benchmarks kept",
    open: "Coverage is checked, benchmarks are kept; not every public name has a page yet.",
  },
  "U11": {
    text: "fault injection, security tests, long soak",
  },
  "X1": {
    text: "any client reaches any backend across protocol eras, elicitation included",
  },
  "X2": {
    text: "the core is a `fetch` handler: Node, Deno, Bun, edge",
  },
  "X3": {
    text: "no audited promise is lost on `kill -9`",
  },
  "X4": {
    text: "no `tools/call` is sent twice; each failure says whether it ran",
  },
  "X5": {
    text: "a changed tool definition is seen, shown and, where asked, held",
  },
  "X6": {
    text: "first tool call within a minute of a fresh clone; client files imported both ways",
  },
} as const satisfies Record<string, Requirement>;

export type RequirementId = keyof typeof REQUIREMENTS;
