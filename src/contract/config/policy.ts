/** Who may call what, and how much: [auth], [roles], [limits], [kill], [[rules]], [interceptors]. */
import * as v from "valibot";
import { key } from "./key.ts";
import { count, httpUrl, name, oneOf, pattern, patterns, text } from "./values.ts";
import { RULE_BOUNDS } from "../rules.ts";
import { duration, grace, memory, rate } from "../units.ts";

const line = v.pipe(
  text,
  v.minLength(1, "write a text"),
  v.maxLength(1024, "at most 1024 characters"),
);

const algorithm = oneOf("signature algorithm", [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "HS256",
  "HS384",
  "HS512",
]);

const clockSkew = v.pipe(grace, v.maxValue(30_000, "use at most 30s"));

const jwt = v.strictObject({
  issuer: key(line, "Value of iss; the first entry that matches is used.", {
    example: '"https://login.example.com/realms/eng"',
    reload: "live",
  }),
  audience: key(line, "Value aud must contain.", {
    example: '"https://mcp.example.com"',
    reload: "live",
  }),
  jwks_url: key(v.optional(httpUrl), "Public keys of the issuer. Either this or secret.", {
    example: '"https://login.example.com/realms/eng/protocol/openid-connect/certs"',
    reload: "live",
  }),
  secret: key(v.optional(v.string()), "Shared secret for HS256 and its kin; at least 32 bytes.", {
    example: '"${env:SENTINEL_JWT_SECRET}"',
    reload: "live",
    secret: "always",
  }),
  algorithms: key(
    v.optional(v.pipe(v.array(algorithm), v.minLength(1, "name at least one"))),
    "Signature algorithms accepted. Without it RS256, ES256 and EdDSA, or HS256 with a secret.",
    { example: '["RS256", "ES256"]', reload: "live" },
  ),
  roles_claim: key(v.optional(line, "roles"), "Claim with the roles; dots lead into objects.", {
    example: '"realm_access.roles"',
    reload: "live",
  }),
  roles_map: key(
    v.optional(v.record(pattern, name), {}),
    "Pattern over the claim's values = role of this file; the most specific one that matches a value decides, " +
      "and a value that none matches is the name of a role.",
    { example: '{ "eng-platform" = "admin", "eng-*" = "developer" }', reload: "live" },
  ),
  clock_skew: key(v.optional(clockSkew, "30s"), "Difference of clocks that is forgiven.", {
    example: '"10s"',
    reload: "live",
  }),
});

export const auth = v.strictObject({
  mode: key(
    v.optional(oneOf("sign-in mode", ["none", "jwt"]), "none"),
    'How callers prove who they are: "none", on loopback only, or "jwt", a token of an issuer below.',
    { example: '"jwt"', reload: "restart" },
  ),
  jwt: key(v.optional(v.array(jwt), []), "Issuers of tokens.", { reload: "live" }),
});

export const role = v.strictObject({
  tools: key(v.optional(patterns, []), "Tools the role sees and may call, by exposed name.", {
    example: '["gh__*", "sqlite__read_*"]',
    reload: "live",
  }),
  prompts: key(v.optional(patterns, []), "Prompts the role sees and may get.", {
    example: '["*"]',
    reload: "live",
  }),
  resources: key(v.optional(patterns, []), "Resources the role sees and may read, by URI.", {
    example: '["repo://*"]',
    reload: "live",
  }),
  deny: key(v.optional(patterns, []), "Taken away again; always wins.", {
    example: '["gh__merge_*"]',
    reload: "live",
  }),
});

const limit = v.strictObject({
  rate: key(rate, "Calls in a time.", { example: '"60/min"', reload: "live" }),
  burst: key(
    v.optional(count),
    "Calls that may come at once; without it as many as the rate has in its time.",
    { example: "20", reload: "live" },
  ),
});

export const limits = v.strictObject({
  default: key(
    v.optional(limit, { rate: "60/min", burst: 20 }),
    "Limit for each caller and tool that nothing below names; without sign-in each session is a caller.",
    { example: '{ rate = "60/min", burst = 20 }', reload: "live" },
  ),
  concurrency: key(v.optional(count, 200), "Calls to backends under way in the whole gateway.", {
    example: "50",
    reload: "live",
  }),
  per_session: key(v.optional(count, 32), "Calls to backends under way in one session.", {
    example: "4",
    reload: "live",
  }),
  max_lag: key(
    v.optional(duration, "500ms"),
    "Mean delay of the event loop over a second from which new requests are refused (503).",
    { example: '"100ms"', reload: "live" },
  ),
  memory: key(
    v.optional(memory),
    "Memory of the gateway; from 85 % of it on new requests are refused (503). Without it what the " +
      "container allows, where there is one.",
    { example: '"1GiB"', reload: "live" },
  ),
  tools: key(
    v.optional(v.record(pattern, limit), {}),
    "Limits by exposed name; the most specific pattern wins.",
    { example: '{ "sqlite__write_*" = { rate = "5/min" } }', reload: "live" },
  ),
  roles: key(
    v.optional(v.record(name, limit), {}),
    "Limits by role, for each tool; they go before all others, the best of a caller's roles first.",
    { example: '{ admin = { rate = "600/min" } }', reload: "live" },
  ),
});

export const kill = v.strictObject({
  tools: key(v.optional(patterns, []), "Tools that are off, by exposed name.", {
    example: '["gh__delete_*"]',
    reload: "live",
  }),
  backends: key(v.optional(v.array(name), []), "Backends that are off.", {
    example: '["github"]',
    reload: "live",
  }),
  reason: key(v.optional(text), "Why; told to callers.", {
    example: '"INC-1042"',
    reload: "live",
  }),
});

const expression = v.pipe(
  v.string(),
  v.metadata({ noun: "expression" }),
  v.minLength(1, "write a CEL expression"),
  v.maxLength(RULE_BOUNDS.expression, `use at most ${RULE_BOUNDS.expression} characters`),
);

const ruleDelay = v.pipe(duration, v.maxValue(60_000, "use at most 1m"));

export const rule = v.strictObject({
  name: key(name, "Name in answers, log and audit.", {
    example: '"no-drop-table"',
    reload: "live",
  }),
  on: key(
    v.optional(oneOf("rule phase", ["call", "result", "list"]), "call"),
    "What the rule looks at.",
    { example: '"result"', reload: "live" },
  ),
  when: key(
    expression,
    "CEL expression over tool, args, identity, session, request and now.",
    { example: "'tool.backend == \"sqlite\"'", reload: "live" },
  ),
  action: key(
    oneOf("rule action", [
      "allow",
      "deny",
      "warn",
      "redact",
      "transform",
      "delay",
      "fault",
      "approve",
    ]),
    "What happens when the expression is true; delay and fault are for staging, approve refuses for now.",
    { example: '"deny"', reload: "live" },
  ),
  message: key(v.optional(text), "Told to the caller.", {
    example: '"DROP TABLE is not allowed through the gateway."',
    reload: "live",
  }),
  fields: key(v.optional(patterns, []), "Fields to redact; ** stands for any depth.", {
    example: '["**.token", "**.secret"]',
    reload: "live",
  }),
  set: key(
    v.optional(v.record(pattern, expression), {}),
    "What transform sets: a place in args or result = CEL expression for its value.",
    { example: `{ "args.limit" = "min(args.limit, 100)" }`, reload: "live" },
  ),
  for: key(v.optional(ruleDelay), "How long delay waits.", { example: '"200ms"', reload: "live" }),
  error: key(
    v.optional(oneOf("fault", [
      "BACKEND_LOST",
      "BACKEND_TIMEOUT",
      "BACKEND_PROTOCOL",
      "CIRCUIT_OPEN",
      "RATE_LIMITED",
      "INTERNAL",
    ])),
    "What fault answers.",
    { example: '"BACKEND_LOST"', reload: "live" },
  ),
});

export const interceptors = v.strictObject({
  order: key(
    v.optional(v.array(name), ["rules", "redact"]),
    'Order of "rules", "redact" and the interceptors of a program that embeds the gateway; those of ' +
      "it that are not named run last. The other stages of a call are fixed.",
    { example: '["rules", "redact"]', reload: "live" },
  ),
  on_error: key(
    v.optional(oneOf("reaction", ["deny"]), "deny"),
    "An interceptor that throws never lets a call pass.",
    { example: '"deny"', reload: "live" },
  ),
  timeout: key(v.optional(duration, "2s"), "Time one interceptor may take.", {
    example: '"500ms"',
    reload: "live",
  }),
});
