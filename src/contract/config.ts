/**
 * The configuration as valibot schema: keys are spelled as in `sentinel.toml`; the parsed form has
 * durations in milliseconds and sizes in bytes.
 */
import * as v from "valibot";
import { NAME_PATTERN } from "./ids.ts";
import { duration, size } from "./units.ts";

const name = v.pipe(v.string(), v.regex(NAME_PATTERN, "expected letters, digits, - and _"));
const patterns = v.array(v.string());

const server = v.strictObject({
  name: v.optional(name, "mcp-sentinel"),
  listen: v.optional(v.string(), "127.0.0.1:8808"),
  path: v.optional(v.string(), "/mcp"),
  legacy_sse: v.optional(v.boolean(), true),
  public_url: v.optional(v.string()),
  allowed_origins: v.optional(v.array(v.string()), []),
  trusted_proxies: v.optional(v.array(v.string()), []),
  max_request_size: v.optional(size, "4MiB"),
  request_timeout: v.optional(duration, "60s"),
  drain_timeout: v.optional(duration, "25s"),
  instructions: v.optional(v.string()),
});

const catalog = v.strictObject({
  prefix: v.optional(v.picklist(["always", "never"]), "always"),
  separator: v.optional(v.string(), "__"),
  max_name_length: v.optional(v.number(), 64),
  client_prefix: v.optional(v.string(), "mcp__{server}__"),
  sanitize: v.optional(v.boolean(), true),
  validate_arguments: v.optional(v.boolean(), true),
  on_change: v.optional(v.picklist(["allow", "warn", "hold"]), "warn"),
});

const backendTools = v.strictObject({
  /** Patterns over the backend's own names; `*` is the only wildcard. */
  allow: v.optional(patterns, ["*"]),
  deny: v.optional(patterns, []),
  /** Backend's name → name shown. */
  rename: v.optional(v.record(v.string(), v.string()), {}),
  /** Name shown (after rename) → description. */
  describe: v.optional(v.record(v.string(), v.string()), {}),
  /** Name shown (after rename) → arguments filled in where the caller gives none. */
  defaults: v.optional(v.record(v.string(), v.record(v.string(), v.unknown())), {}),
});

const backend = v.strictObject({
  url: v.optional(v.string()),
  command: v.optional(v.string()),
  args: v.optional(v.array(v.string()), []),
  env: v.optional(v.record(v.string(), v.string()), {}),
  inherit_env: v.optional(v.array(v.string()), ["PATH", "HOME", "LANG"]),
  cwd: v.optional(v.string()),
  headers: v.optional(v.record(v.string(), v.string()), {}),
  /** HTTP transport: "auto" tries Streamable HTTP, then HTTP+SSE. */
  transport: v.optional(v.picklist(["auto", "streamable_http", "http_sse"]), "auto"),
  alias: v.optional(name),
  enabled: v.optional(v.boolean(), true),
  timeout: v.optional(duration),
  instances: v.optional(v.picklist(["shared", "per-session", "per-user"]), "shared"),
  restart: v.optional(
    v.strictObject({
      base: v.optional(duration, "1s"),
      max: v.optional(duration, "60s"),
      reset_after: v.optional(duration, "5m"),
    }),
    {},
  ),
  stop: v.optional(v.strictObject({ grace: v.optional(duration, "5s") }), {}),
  limits: v.optional(
    v.strictObject({
      memory: v.optional(size),
      output_line: v.optional(size, "4MiB"),
    }),
    {},
  ),
  tools: v.optional(backendTools, {}),
});

const toolset = v.strictObject({
  tools: v.optional(patterns, ["*"]),
  prompts: v.optional(patterns, ["*"]),
  resources: v.optional(patterns, ["*"]),
  deny: v.optional(patterns, []),
});

const sessions = v.strictObject({
  store: v.optional(v.picklist(["memory", "sqlite", "redis"]), "memory"),
  idle_timeout: v.optional(duration, "30m"),
  max_lifetime: v.optional(duration, "24h"),
  max: v.optional(v.number(), 10_000),
  heartbeat: v.optional(duration, "15s"),
  resume: v.optional(
    v.strictObject({
      events: v.optional(v.number(), 1000),
      keep: v.optional(duration, "10m"),
    }),
    {},
  ),
});

export const ConfigSchema = v.strictObject({
  version: v.optional(v.literal(1), 1),
  server: v.optional(server, {}),
  catalog: v.optional(catalog, {}),
  backends: v.optional(v.record(name, backend), {}),
  toolsets: v.optional(v.record(name, toolset), {}),
  sessions: v.optional(sessions, {}),
});

export type Config = v.InferOutput<typeof ConfigSchema>;
export type BackendConfig = Config["backends"][string];
export type CatalogConfig = Config["catalog"];
export type ToolsetConfig = Config["toolsets"][string];
