import * as v from "valibot";
import { REACTIONS } from "../definitions.ts";
import { ERAS } from "../status.ts";
import { key } from "./key.ts";
import {
  count,
  filePath,
  fraction,
  httpUrl,
  name,
  oneOf,
  osText,
  pattern,
  patterns,
  text,
} from "./values.ts";
import { duration, grace, memory, size } from "../units.ts";

const headerName = v.pipe(
  v.string(),
  v.metadata({ noun: "header name" }),
  v.regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "use letters, digits and -"),
);

const headerValue = v.pipe(
  v.string(),
  v.metadata({ noun: "header value" }),
  v.check(
    (value) => /^[\t\x20-\x7e\x80-\xff]*$/.test(value),
    "remove line ends, control characters and characters outside Latin-1",
  ),
);

const variable = v.pipe(
  v.string(),
  v.metadata({ noun: "variable name" }),
  v.check((value) => /^[^=\0]+$/.test(value), "write a name without = and NUL"),
);

const command = v.pipe(
  osText,
  v.metadata({ noun: "command" }),
  v.minLength(1, "write the name or path of a program"),
  v.check((value) => !value.startsWith("-"), "a program's name does not begin with -"),
);

const shownName = v.pipe(
  v.string(),
  v.metadata({ noun: "name" }),
  v.minLength(1, "write a name"),
  v.maxLength(128, "use at most 128 characters"),
);

const MOST_INSTANCES = 64;

const instances = v.pipe(
  v.union([
    v.picklist(["shared", "per-session", "per-user"]),
    v.pipe(
      v.number(),
      v.integer("use a whole number"),
      v.minValue(1, "use at least 1"),
      v.maxValue(MOST_INSTANCES, `use at most ${MOST_INSTANCES}`),
    ),
  ]),
  v.metadata({ noun: "mode" }),
);

const tools = v.strictObject({
  allow: key(v.optional(patterns, ["*"]), "Tools to offer, by the backend's own names.", {
    example: '["search_*"]',
    reload: "live",
  }),
  deny: key(v.optional(patterns, []), "Tools to leave out, by the backend's own names; wins.", {
    example: '["delete_*"]',
    reload: "live",
  }),
  rename: key(v.optional(v.record(pattern, shownName), {}), "The backend's name = name shown.", {
    example: '{ search_code = "code_search" }',
    reload: "live",
  }),
  describe: key(
    v.optional(v.record(pattern, text), {}),
    "Name shown (after rename) = description.",
    { example: '{ code_search = "Search code in our organization only." }', reload: "live" },
  ),
  defaults: key(
    v.optional(v.record(pattern, v.record(v.string(), v.unknown())), {}),
    "Name shown (after rename) = arguments filled in where the caller gives none.",
    { example: '{ code_search = { org = "example" } }', reload: "live" },
  ),
});

const retry = v.strictObject({
  attempts: key(v.optional(count, 3), "Tries in all; 1 means no retry.", {
    example: "1",
    reload: "live",
  }),
  base: key(v.optional(duration, "200ms"), "Pause before the first retry; doubles each time.", {
    example: '"500ms"',
    reload: "live",
  }),
  max: key(v.optional(duration, "5s"), "Longest pause.", { example: '"10s"', reload: "live" }),
  only: key(
    v.optional(oneOf("retry mode", ["safe"]), "safe"),
    'What may be sent twice: "safe" is lists, reads, prompts, and the tools of `tools`. What was ' +
      "certainly not delivered is tried again in any case.",
    { example: '"safe"', reload: "live" },
  ),
  tools: key(
    v.optional(patterns, []),
    "Tools that may be sent twice, by the backend's own names: only what you know to be idempotent.",
    { example: '["get_*"]', reload: "live" },
  ),
  budget: key(
    v.optional(fraction, 0.1),
    "Most retries as a share of the calls of the last 30 seconds; one in 30 seconds is always allowed.",
    { example: "0.2", reload: "live" },
  ),
});

const pool = v.strictObject({
  max_connections: key(v.optional(count, 32), "Most connections to this backend.", {
    example: "8",
    reload: "reconnect",
  }),
  idle_timeout: key(v.optional(duration, "60s"), "Idle time after which one is closed.", {
    example: '"30s"',
    reload: "reconnect",
  }),
});

const health = v.strictObject({
  interval: key(v.optional(duration, "30s"), "Time between pings, give or take a tenth.", {
    example: '"10s"',
    reload: "live",
  }),
  timeout: key(v.optional(duration, "5s"), "Time a ping may take.", {
    example: '"2s"',
    reload: "live",
  }),
  unhealthy_after: key(
    v.optional(count, 3),
    "Pings that fail in a row until the backend counts as unresponsive and is connected anew.",
    { example: "5", reload: "live" },
  ),
  healthy_after: key(
    v.optional(count, 2),
    "Pings that succeed in a row until it counts as well again.",
    { example: "1", reload: "live" },
  ),
  failures: key(
    v.optional(count, 5),
    "Calls that fail in a row, of the backend or of one tool, until its circuit opens.",
    { example: "10", reload: "live" },
  ),
  failure_ratio: key(
    v.optional(fraction, 0.5),
    "Share of at least 20 calls within 30 seconds that fail until the circuit opens.",
    { example: "0.8", reload: "live" },
  ),
  open_for: key(
    v.optional(duration, "30s"),
    "Longest time an open circuit refuses calls at once; the first is 1s and doubles each time.",
    { example: '"1m"', reload: "live" },
  ),
});

const restart = v.strictObject({
  base: key(v.optional(duration, "1s"), "Pause before the first new try; doubles each time.", {
    example: '"500ms"',
    reload: "reconnect",
  }),
  max: key(v.optional(duration, "60s"), "Longest pause.", { example: '"5m"', reload: "reconnect" }),
  reset_after: key(
    v.optional(duration, "5m"),
    "Time without a failure after which the count starts anew.",
    { example: '"1m"', reload: "reconnect" },
  ),
});

const limits = v.strictObject({
  memory: key(
    v.optional(memory),
    "Memory the process and its children may use together; beyond it they are ended and started anew.",
    { example: '"512MiB"', reload: "reconnect" },
  ),
  descriptors: key(v.optional(count, 1024), "File descriptors a process of a command may open.", {
    example: "4096",
    reload: "reconnect",
  }),
  processes: key(
    v.optional(count),
    "Processes and threads the user of the gateway may have while a process of a command starts one.",
    { example: "200", reload: "reconnect" },
  ),
  in_flight: key(v.optional(count, 256), "Calls the backend works on at a time.", {
    example: "16",
    reload: "live",
  }),
  queue: key(v.optional(count, 256), "Calls that wait while so many are under way.", {
    example: "32",
    reload: "live",
  }),
  queue_wait: key(v.optional(grace, "1s"), "Longest time one of them waits.", {
    example: '"250ms"',
    reload: "live",
  }),
  output_line: key(v.optional(size, "4MiB"), "Longest message the process may write.", {
    example: '"8MiB"',
    reload: "reconnect",
  }),
});

export const backend = v.strictObject({
  url: key(v.optional(httpUrl), "MCP endpoint of an HTTP backend. Either this or command.", {
    example: '"https://mcp.example.com/mcp"',
    reload: "reconnect",
  }),
  command: key(
    v.optional(command),
    "Program of a supervised local process that speaks MCP on stdin and stdout; never a shell line.",
    { example: '"npx"', reload: "reconnect" },
  ),
  args: key(v.optional(v.array(osText), []), "Arguments of the command, one by one.", {
    example: '["-y", "@upstash/context7-mcp@2.1.0"]',
    reload: "reconnect",
  }),
  env: key(
    v.optional(v.record(variable, osText), {}),
    "Environment variables of the command. Credentials only as ${env:NAME} or ${file:PATH}.",
    {
      example: '{ CONTEXT7_API_KEY = "${env:CONTEXT7_API_KEY}" }',
      reload: "reconnect",
      secret: "named",
    },
  ),
  inherit_env: key(
    v.optional(v.array(variable), ["PATH", "HOME", "LANG"]),
    "Variables the command gets from the gateway's own environment; nothing else leaks in.",
    { example: '["PATH", "HOME", "LANG", "HTTPS_PROXY"]', reload: "reconnect" },
  ),
  cwd: key(v.optional(filePath), "Working directory of the command.", {
    example: '"/srv/context7"',
    reload: "reconnect",
  }),
  headers: key(
    v.optional(v.record(headerName, headerValue), {}),
    "Headers sent to an HTTP backend. Credentials only as ${env:NAME} or ${file:PATH}.",
    {
      example: '{ Authorization = "Bearer ${env:N8N_TOKEN}" }',
      reload: "reconnect",
      secret: "named",
    },
  ),
  forward_baggage: key(
    v.optional(v.boolean(), false),
    "Send the caller's `baggage` (W3C) on to the backend; it may hold data of users.",
    { example: "true", reload: "live" },
  ),
  transport: key(
    v.optional(oneOf("transport", ["auto", "streamable_http", "http_sse"]), "auto"),
    'HTTP transport: "auto" tries Streamable HTTP, then HTTP+SSE.',
    { example: '"http_sse"', reload: "reconnect" },
  ),
  era: key(
    v.optional(oneOf("era", ["auto", ...ERAS]), "auto"),
    'Era of its protocol: "auto" asks the backend; "legacy" shakes hands (up to 2025-11-25), ' +
      '"modern" does not (2026-07-28).',
    { example: '"legacy"', reload: "reconnect" },
  ),
  cache_ttl: key(
    v.optional(grace, "0s"),
    "How long modern clients may keep lists and resources of a backend that says nothing of it.",
    { example: '"30s"', reload: "live" },
  ),
  alias: key(v.optional(name), "Prefix of the exposed names, in place of the table's name.", {
    example: '"gh"',
    reload: "live",
  }),
  enabled: key(v.optional(v.boolean(), true), "false: known, but off; calls get a clear refusal.", {
    example: "false",
    reload: "live",
  }),
  timeout: key(v.optional(duration), "Like server.request_timeout, for this backend.", {
    example: '"30s"',
    reload: "live",
  }),
  instances: key(
    v.optional(instances, "shared"),
    "Who shares one connection or process: everybody, one session, or one user. A number: so many that " +
      "everybody shares, and each call takes the least busy one.",
    { example: '"per-session"', reload: "reconnect" },
  ),
  retry: key(v.optional(retry, {}), "Retries of what may safely be sent twice.", {
    example: '{ attempts = 3, base = "200ms", max = "5s" }',
    reload: "live",
  }),
  pool: key(v.optional(pool, {}), "Connections to an HTTP backend.", {
    example: '{ max_connections = 32, idle_timeout = "60s" }',
    reload: "reconnect",
    later: true,
  }),
  health: key(v.optional(health, {}), "Pings, and the circuit that opens when calls fail.", {
    example: '{ interval = "30s", unhealthy_after = 3 }',
    reload: "live",
  }),
  oauth: key(
    v.optional(v.strictObject({
      scopes: key(v.optional(v.array(text), []), "Scopes to ask for.", {
        example: '["repo", "read:org"]',
        reload: "reconnect",
      }),
    })),
    "Sign in to an HTTP backend once, with the browser.",
    { example: '{ scopes = ["repo"] }', reload: "reconnect", later: true },
  ),
  restart: key(v.optional(restart, {}), "Pauses between tries after a backend failed.", {
    example: '{ base = "1s", max = "60s", reset_after = "5m" }',
    reload: "reconnect",
  }),
  stop: key(
    v.optional(
      v.strictObject({
        grace: key(v.optional(grace, "5s"), "Time between TERM and KILL.", {
          example: '"10s"',
          reload: "reconnect",
        }),
      }),
      {},
    ),
    "How the process group of a command is ended.",
    { example: '{ grace = "5s" }', reload: "reconnect" },
  ),
  limits: key(v.optional(limits, {}), "Bounds of one backend.", {
    example: '{ output_line = "8MiB" }',
    reload: "reconnect",
  }),
  on_change: key(
    v.optional(oneOf("reaction", REACTIONS)),
    "Like catalog.on_change, for this backend.",
    { example: '"hold"', reload: "live" },
  ),
  tools: key(v.optional(tools, {}), "Which tools are offered, and how they look.", {
    example: '{ deny = ["delete_*"] }',
    reload: "live",
  }),
});
