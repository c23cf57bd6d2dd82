/** What is kept: [audit] and [sessions]. */
import * as v from "valibot";
import { key } from "./key.ts";
import { count, name, oneOf, pattern, patterns } from "./values.ts";
import { duration, memory, period } from "../units.ts";

const storeUrl = v.pipe(
  v.string(),
  v.metadata({ noun: "store URL" }),
  v.check((value) => URL.canParse(value), "write an absolute URL"),
);

const whenFull = oneOf("reaction", ["refuse-calls", "drop-and-count"]);
const durability = oneOf("durability", ["process", "power"]);
const form = oneOf("form", ["none", "hash", "redacted", "full"]);

/** How calls of a role or a tool are recorded where that differs. */
const exception = v.strictObject({
  when_full: key(v.optional(whenFull), "What a full journal causes.", {
    example: '"drop-and-count"',
    reload: "live",
  }),
  durability: key(v.optional(durability), "What a row survives.", {
    example: '"power"',
    reload: "live",
  }),
  arguments: key(v.optional(form), "How arguments are recorded.", {
    example: '"none"',
    reload: "live",
  }),
  results: key(v.optional(form), "How results are recorded.", {
    example: '"none"',
    reload: "live",
  }),
});

const policy = v.strictObject({
  roles: key(
    v.optional(v.record(name, exception), {}),
    "Role = how its calls are recorded; of several roles the strictest value holds.",
    { example: '{ batch = { when_full = "drop-and-count" } }', reload: "live" },
  ),
  tools: key(
    v.optional(v.record(pattern, exception), {}),
    "Tool pattern = the same; the most specific one that says something goes before roles.",
    { example: '{ "sqlite__write_*" = { durability = "power" } }', reload: "live" },
  ),
});

export const audit = v.strictObject({
  store: key(
    v.optional(oneOf("audit store", ["sqlite", "postgres", "stdout", "off"]), "sqlite"),
    "Where the record of calls is kept.",
    { example: '"postgres"', reload: "restart" },
  ),
  url: key(v.optional(storeUrl), "Database of the store postgres.", {
    example: '"${env:DATABASE_URL}"',
    reload: "restart",
    secret: "password",
  }),
  migrate: key(v.optional(v.boolean(), true), "Bring the tables up to date at start.", {
    example: "false",
    reload: "restart",
  }),
  arguments: key(
    v.optional(form, "redacted"),
    "How arguments are recorded.",
    { example: '"hash"', reload: "live" },
  ),
  results: key(
    v.optional(form, "hash"),
    "How results are recorded.",
    { example: '"none"', reload: "live" },
  ),
  redact: key(
    v.optional(patterns, ["password", "token", "authorization", "*secret*"]),
    "Names of fields whose values are never recorded.",
    { example: '["password", "token"]', reload: "live" },
  ),
  retention: key(v.optional(period, "90d"), "Age at which rows are removed.", {
    example: '"7d"',
    reload: "live",
  }),
  queue: key(
    v.optional(count, 10_000),
    "Rows kept in memory for the store; those beyond wait in the journal alone.",
    { example: "50000", reload: "restart" },
  ),
  journal: key(
    v.optional(memory, "1GiB"),
    "Size of the journal, where rows wait while the store is away; then when_full decides.",
    { example: '"256MiB"', reload: "restart" },
  ),
  durability: key(
    v.optional(durability, "process"),
    '"process" survives kill -9; "power" also a power loss, for a few milliseconds more.',
    { example: '"power"', reload: "live" },
  ),
  when_full: key(
    v.optional(whenFull, "refuse-calls"),
    "What a full journal causes: calls are refused, or their rows are dropped and counted.",
    { example: '"drop-and-count"', reload: "live" },
  ),
  chain: key(v.optional(v.boolean(), true), "Chain rows by hash, so that a gap can be proven.", {
    example: "false",
    reload: "restart",
  }),
  policy: key(v.optional(policy, {}), "Exceptions by role and tool.", { reload: "live" }),
});

export const sessions = v.strictObject({
  store: key(
    v.optional(oneOf("session store", ["memory", "sqlite", "redis"]), "memory"),
    "What sessions survive: memory nothing, sqlite a restart, redis also a change of replica. redis shares " +
      "rate limits and kill switches between replicas of one server.name, too.",
    { example: '"redis"', reload: "restart" },
  ),
  url: key(
    v.optional(storeUrl),
    "Server of the store redis, version 6 or later: redis://user:password@host:6379/0, with TLS rediss://.",
    { example: '"${env:REDIS_URL}"', reload: "restart", secret: "password" },
  ),
  idle_timeout: key(v.optional(duration, "30m"), "Idle time after which a session ends.", {
    example: '"1h"',
    reload: "live",
  }),
  max_lifetime: key(v.optional(duration, "24h"), "Age at which a session ends.", {
    example: '"8h"',
    reload: "live",
  }),
  max: key(v.optional(count, 10_000), "Most sessions at a time in one gateway.", {
    example: "1000",
    reload: "live",
  }),
  max_per_principal: key(
    v.optional(count, 1000),
    "Most sessions at a time of one principal in one gateway; without sign-in there is no such bound.",
    { example: "50", reload: "live" },
  ),
  required: key(
    v.optional(v.boolean(), false),
    "Without the store nothing goes: no session is opened and /ready says 503. Otherwise sessions live in " +
      "memory until the store is back.",
    { example: "true", reload: "live" },
  ),
  heartbeat: key(v.optional(duration, "15s"), "Pause between signs of life on an open stream.", {
    example: '"30s"',
    reload: "live",
  }),
  resume: key(
    v.optional(
      v.strictObject({
        events: key(v.optional(count, 1000), "Events kept for each stream.", {
          example: "200",
          reload: "restart",
        }),
        keep: key(v.optional(duration, "10m"), "Time they are kept after the stream ended.", {
          example: '"2m"',
          reload: "restart",
        }),
      }),
      {},
    ),
    "What a client that lost its stream gets again (Last-Event-ID).",
    { example: '{ events = 1000, keep = "10m" }', reload: "restart" },
  ),
});
