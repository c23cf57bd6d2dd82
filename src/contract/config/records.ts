/** What is kept: [audit] and [sessions]. */
import * as v from "valibot";
import { key } from "./key.ts";
import { count, name, oneOf, pattern, patterns } from "./values.ts";
import { duration, period } from "../units.ts";

const storeUrl = v.pipe(
  v.string(),
  v.metadata({ noun: "store URL" }),
  v.check((value) => URL.canParse(value), "write an absolute URL"),
);

const whenFull = oneOf("reaction", ["refuse-calls", "drop-and-count"]);

const policy = v.strictObject({
  roles: key(v.optional(v.record(name, whenFull), {}), "Role = what a full queue causes.", {
    example: '{ batch = "drop-and-count" }',
    reload: "live",
  }),
  tools: key(v.optional(v.record(pattern, whenFull), {}), "Tool pattern = the same; wins.", {
    example: '{ "sqlite__write_*" = "refuse-calls" }',
    reload: "live",
  }),
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
    v.optional(oneOf("form", ["none", "hash", "redacted", "full"]), "redacted"),
    "How arguments are recorded.",
    { example: '"hash"', reload: "live" },
  ),
  results: key(
    v.optional(oneOf("form", ["none", "hash", "redacted", "full"]), "hash"),
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
  queue: key(v.optional(count, 10_000), "Rows that may wait for the store.", {
    example: "50000",
    reload: "restart",
  }),
  durability: key(
    v.optional(oneOf("durability", ["process", "power"]), "process"),
    '"process" survives kill -9; "power" also a power loss, for a few milliseconds more.',
    { example: '"power"', reload: "restart" },
  ),
  when_full: key(v.optional(whenFull, "refuse-calls"), "What a full queue causes.", {
    example: '"drop-and-count"',
    reload: "live",
  }),
  chain: key(v.optional(v.boolean(), true), "Chain rows by hash, so that a gap can be proven.", {
    example: "false",
    reload: "restart",
  }),
  policy: key(v.optional(policy, {}), "Exceptions to when_full.", { reload: "live" }),
});

export const sessions = v.strictObject({
  store: key(
    v.optional(oneOf("session store", ["memory", "sqlite", "redis"]), "memory"),
    "Where sessions live. This version keeps them in memory, whatever is set.",
    { example: '"redis"', reload: "restart" },
  ),
  url: key(v.optional(storeUrl), "Server of the store redis.", {
    example: '"${env:REDIS_URL}"',
    reload: "restart",
    later: true,
    secret: "password",
  }),
  idle_timeout: key(v.optional(duration, "30m"), "Idle time after which a session ends.", {
    example: '"1h"',
    reload: "live",
  }),
  max_lifetime: key(v.optional(duration, "24h"), "Age at which a session ends.", {
    example: '"8h"',
    reload: "live",
    later: true,
  }),
  max: key(v.optional(count, 10_000), "Most sessions at a time.", {
    example: "1000",
    reload: "live",
  }),
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
