/** The configuration an isolate serves with. */
import { parseConfig, type ParsedConfig } from "../../config/parse.ts";
import { ConfigError } from "../../config/issue.ts";
import { configHash } from "../../config/diff.ts";
import type { Config } from "../../contract/mod.ts";
import { type Bindings, CONFIG, textsOf } from "./bindings.ts";
import { type EdgeProblem, noticesOf, problemsOf } from "./unsupported.ts";

/** Of the journal: an isolate has little memory, and holds only what could not be written. */
const MAX_UNWRITTEN = 8 * 1024 * 1024;

export interface EdgeSettings {
  /** As it is in force: what cannot work here is off. */
  readonly config: Config;
  /** Whether rows of the audit are chained. */
  readonly chain: boolean;
  /** Of the configuration as it was given. */
  readonly hash: string;
  readonly secrets: readonly string[];
  /** What does nothing, or less than elsewhere. */
  readonly notices: readonly string[];
  readonly texts: Readonly<Record<string, string>>;
}

/** A configuration that cannot be used, with everything that is wrong with it. */
export class Unusable extends Error {
  readonly problems: readonly EdgeProblem[];

  constructor(problems: readonly EdgeProblem[]) {
    super(`Cannot use the configuration: ${problems[0]?.message ?? "unknown reason"}`);
    this.name = "Unusable";
    this.problems = problems;
  }
}

/** @throws Unusable */
export async function readSettings(bindings: Bindings): Promise<EdgeSettings> {
  const texts = textsOf(bindings);
  const parsed = await parsedFrom(texts);
  const { config, secrets, notices, warnings } = parsed;
  const problems = problemsOf(config, texts);
  if (problems.length > 0) throw new Unusable(problems);
  return {
    config: inForce(config),
    chain: config.audit.chain,
    hash: await configHash(config, secrets),
    secrets,
    notices: [...notices, ...warnings, ...noticesOf(parsed, texts)],
    texts,
  };
}

async function parsedFrom(texts: Readonly<Record<string, string>>): Promise<ParsedConfig> {
  const text = texts[CONFIG];
  if (text === undefined) throw new Unusable([missing]);
  try {
    return await parseConfig(text, {
      file: CONFIG,
      env: texts,
      readFile: noFiles,
      now: Date.now(),
    });
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new Unusable(cause.issues.map(({ code, path, line, message, hint }) => ({
      code,
      path: line === 0 ? path : `${path} (line ${line})`,
      message,
      hint,
    })));
  }
}

const missing: EdgeProblem = {
  code: "EDGE_NO_CONFIG",
  path: CONFIG,
  message: `no text named ${CONFIG} is bound`,
  hint: "bind it to the configuration, as TOML",
};

function noFiles(): Promise<never> {
  return Promise.reject(
    new Error("there are no files here: bind a variable and write ${env:NAME}"),
  );
}

function inForce(config: Config): Config {
  const { audit, bridge, server, sessions } = config;
  const policy = {
    tools: strict(audit.policy.tools),
    roles: strict(audit.policy.roles),
  };
  return {
    ...config,
    server: { ...server, websocket: false, legacy_sse: false },
    // A record that cannot be had must not pass for a session that has ended.
    sessions: { ...sessions, required: true },
    // What waits for another request, or for news, would wait for ever.
    bridge: { ...bridge, parked: 0, listens: 0 },
    audit: {
      ...audit,
      policy,
      durability: "power",
      // The journal chains its rows itself: many cores write them.
      chain: false,
      journal: Math.min(audit.journal, MAX_UNWRITTEN),
    },
  };
}

type Exceptions = Config["audit"]["policy"]["tools"];

function strict(exceptions: Exceptions): Exceptions {
  const entries = Object.entries(exceptions).map(([name, exception]) =>
    [name, { ...exception, durability: "power" }] as const
  );
  return Object.fromEntries(entries);
}
