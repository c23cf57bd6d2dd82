/** The gateway of a configuration with a single backend: nobody connects, nothing is kept. */
import type { BackendConfig, Config } from "../../contract/mod.ts";

const HOUR_MS = 3_600_000;

/**
 * What the gateway would make of this backend, without listeners, stores, sign-in and policy. Tools that are
 * left out are shown too: patterns can only be judged by what there is. One attempt, and no second one after it.
 */
export function aloneWith(config: Config, name: string, own: BackendConfig): Config {
  return {
    ...withoutOthers(config),
    backends: {
      [name]: {
        ...own,
        instances: "shared",
        tools: { ...own.tools, allow: ["*"], deny: [] },
        restart: { base: HOUR_MS, max: HOUR_MS, reset_after: HOUR_MS },
      },
    },
  };
}

/** The same without any backend. */
export function withoutOthers(config: Config): Config {
  const { url: _database, ...audit } = config.audit;
  const { url: _server, ...sessions } = config.sessions;
  const { log, metrics, traces } = config.telemetry;
  return {
    ...config,
    backends: {},
    toolsets: {},
    roles: {},
    rules: [],
    auth: { mode: "none", jwt: [] },
    kill: { tools: [], backends: [] },
    limits: { ...config.limits, tools: {}, roles: {} },
    audit: { ...audit, store: "off" },
    sessions: { ...sessions, store: "memory" },
    telemetry: {
      ...config.telemetry,
      log: { ...log, level: "error" },
      metrics: { ...metrics, otlp: "" },
      traces: { ...traces, otlp: "" },
    },
  };
}
