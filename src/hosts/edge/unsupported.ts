/** What of a configuration cannot work where there is no process, no file and no time between requests. */
import type { Config } from "../../contract/mod.ts";
import type { ParsedConfig } from "../../config/parse.ts";
import { REDIS_ENDPOINT, SQL_ENDPOINT, STATE_KEY, WITHOUT_SIGN_IN } from "./bindings.ts";

/** Why the gateway cannot start, each with what to do. */
export interface EdgeProblem {
  readonly code: string;
  /** Dotted, as in `config explain`. */
  readonly path: string;
  readonly message: string;
  readonly hint: string;
}

type Texts = Readonly<Record<string, string>>;

interface Refusal {
  readonly code: string;
  /** Paths at which it stands. */
  readonly at: (config: Config, texts: Texts) => readonly string[];
  readonly message: string;
  readonly hint: string;
}

/** Without these the gateway would not be what the configuration says. */
const REFUSALS: readonly Refusal[] = [
  {
    code: "EDGE_STDIO_BACKEND",
    at: ({ backends }) => pathsOf(backends, "command", ({ command }) => command !== undefined),
    message: "no process can be started here",
    hint: "give the backend a url, or run the gateway on a server",
  },
  {
    code: "EDGE_BACKEND_PER_SESSION",
    at: ({ backends }) =>
      pathsOf(backends, "instances", ({ instances }) => instances === "per-session"),
    message:
      "no connection to a backend outlives a request here, so it keeps nothing for a session",
    hint:
      'use instances = "shared" for a backend that keeps nothing, or run the gateway on a server',
  },
  {
    code: "EDGE_HOLD",
    at: ({ catalog, backends }) => [
      ...(catalog.on_change === "hold" ? ["catalog.on_change"] : []),
      ...pathsOf(backends, "on_change", ({ on_change: reaction }) => reaction === "hold"),
    ],
    message:
      "each isolate takes the definitions it finds first as good, and nobody can approve here",
    hint: 'use on_change = "warn", or run the gateway on a server',
  },
  {
    code: "EDGE_AUDIT_STORE",
    at: ({ audit: { store } }) => store === "sqlite" || store === "stdout" ? ["audit.store"] : [],
    message: "there are no files here, and what is printed is not kept",
    hint: 'write store = "postgres" with a url of Neon, or store = "off" to record nothing',
  },
  {
    code: "EDGE_AUDIT_DATABASE",
    at: ({ audit: { store, url = "" } }, texts) =>
      store === "postgres" && texts[SQL_ENDPOINT] === undefined && !isNeon(url)
        ? ["audit.url"]
        : [],
    message: "this database is not Neon's, and no connection can be made here but HTTP",
    hint: `use a database of Neon, or bind ${SQL_ENDPOINT} to where it takes SQL over HTTP`,
  },
  {
    code: "EDGE_SESSION_STORE",
    at: ({ sessions: { store } }) => store === "sqlite" ? ["sessions.store"] : [],
    message: "there are no files here",
    hint: 'write store = "redis" with a url of a Redis that speaks HTTP, such as Upstash',
  },
  {
    code: "EDGE_SESSION_SERVER",
    at: ({ sessions: { store, url = "" } }, texts) =>
      store === "redis" && texts[REDIS_ENDPOINT] === undefined && !url.startsWith("rediss:")
        ? ["sessions.url"]
        : [],
    message: "no connection can be made here but HTTP, and a token must not go unencrypted",
    hint: `write rediss:// for a Redis that speaks HTTPS too, or bind ${REDIS_ENDPOINT}`,
  },
  {
    code: "EDGE_SIGN_IN",
    at: ({ auth: { mode } }, texts) =>
      mode === "none" && texts[WITHOUT_SIGN_IN] !== "yes" ? ["auth.mode"] : [],
    message: "everybody on the internet could call, because sign-in is off",
    hint: `set up [auth], or bind ${WITHOUT_SIGN_IN} to "yes"`,
  },
];

/** Keys that have no effect here, and why; said where the configuration gives them. */
const WITHOUT_EFFECT: readonly (readonly [paths: readonly string[], why: string])[] = [
  [["server.listen"], "the platform listens"],
  [["server.tls.cert"], "the platform ends TLS"],
  [["server.websocket"], "there are no WebSockets here"],
  [["server.legacy_sse"], "HTTP+SSE needs a stream that other requests can reach"],
  [["server.drain_delay", "server.drain_timeout"], "the platform ends isolates"],
  [["limits.concurrency", "limits.per_session"], "each request is alone"],
  [["limits.max_lag", "limits.memory"], "the platform measures isolates"],
  [["sessions.heartbeat", "sessions.required"], "a session is its record here"],
  [["sessions.max", "sessions.max_per_principal"], "a request sees its own session alone"],
  [["bridge.parked", "bridge.listens"], "nothing waits between requests"],
  [["audit.durability"], 'it is always "power" here'],
  [["audit.retention"], "a gateway that lasts, at the same database, removes old rows"],
  [["audit.queue"], "rows are written at once"],
  [["audit.when_full"], "a call that cannot be recorded is always refused"],
  [["management.listen", "management.tokens", "management.tls.cert"], "there is no control plane"],
  [["telemetry.metrics.prometheus", "telemetry.metrics.otlp"], "nobody can read metrics here"],
  [["telemetry.traces.otlp"], "traces are not sent from here"],
  [["telemetry.log.format"], "the log is always JSON here"],
  [["reload.watch"], "a new configuration is a new deployment"],
];

export function problemsOf(config: Config, texts: Texts): readonly EdgeProblem[] {
  return REFUSALS.flatMap(({ at, ...problem }) =>
    at(config, texts).map((path) => ({ ...problem, path }))
  );
}

/** What is accepted but does nothing, or less than elsewhere: one sentence each. */
export function noticesOf({ config, origin }: ParsedConfig, texts: Texts): readonly string[] {
  const given = WITHOUT_EFFECT.flatMap(([paths, why]) =>
    paths.filter((path) => origin(path.split(".")) !== "default")
      .map((path) => `${path} has no effect at the edge: ${why}`)
  );
  return [...given, ...lessThanElsewhere(config, texts)];
}

function lessThanElsewhere({ audit, sessions, auth }: Config, texts: Texts): readonly string[] {
  const notices: string[] = [];
  if (audit.store === "off") notices.push('audit.store is "off": nothing of any call is recorded');
  if (sessions.store === "memory") {
    notices.push(`${SESSIONLESS}; limits count for each isolate alone`);
    if (texts[STATE_KEY] === undefined) {
      notices.push(`answers to questions must reach the isolate that asked: bind ${STATE_KEY}`);
    }
  }
  if (auth.mode === "none") notices.push("sign-in is off: everybody may call");
  return notices;
}

/** What legacy clients are told. */
export const SESSIONLESS =
  'sessions are not kept: set sessions.store = "redis" with a url of a Redis that speaks HTTP';

function pathsOf(
  backends: Config["backends"],
  key: string,
  isMeant: (backend: Config["backends"][string]) => boolean,
): readonly string[] {
  return Object.entries(backends).filter(([, backend]) => isMeant(backend))
    .map(([name]) => `backends.${name}.${key}`);
}

function isNeon(url: string): boolean {
  return /(^|\.)neon\.tech\.?$/i.test(URL.parse(url)?.hostname ?? "");
}
