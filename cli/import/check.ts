/** Proves with the parser of the configuration that what an import writes can be used. */
import { ConfigError, type Issue } from "../../src/config/issue.ts";
import { parseText } from "../config_file.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Io } from "../io.ts";
import { visible } from "../text.ts";
import { envLine } from "./env_file.ts";
import type { Found, FoundServer, ImportNote } from "./found.ts";
import { tomlOf } from "./toml.ts";

/** What the gateway reads. */
const LARGEST = 4 * 1024 * 1024;

export interface CheckRequest {
  readonly io: Io;
  /** Values of variables beside those of the environment. */
  readonly variables: ReadonlyMap<string, string>;
}

/** The servers the configuration accepts, each looked at by itself; the others become notes. */
export async function usable(found: Found, request: CheckRequest): Promise<Found> {
  const reasons = await Promise.all(
    found.servers.map((server) => reasonAgainst(server, found, request)),
  );
  const servers = found.servers.filter((_server, index) => reasons[index] === undefined);
  const notes = found.servers.flatMap(({ name }, index): ImportNote[] => {
    const text = reasons[index];
    return text === undefined ? [] : [{ code: "skipped", about: name, text: `skipped: ${text}` }];
  });
  const used = new Set(servers.flatMap(({ secrets }) => secrets));
  return {
    ...found,
    servers,
    notes: [...found.notes, ...notes],
    secrets: new Map([...found.secrets].filter(([name]) => used.has(name))),
  };
}

/**
 * Parses a whole configuration; variables without a value are no mistake yet.
 * @throws ConfigError, or CommandFailed when it is too large
 */
export async function checkWhole(text: string, file: string, request: CheckRequest): Promise<void> {
  if (text.length > LARGEST) {
    const message = `"${file}" would be larger than ${LARGEST} characters`;
    throw new CommandFailed(EXIT.failed, message, "--from limits to one client");
  }
  const issues = await issuesOf(text, file, request);
  if (issues.length > 0) throw new ConfigError(issues);
}

async function reasonAgainst(
  server: FoundServer,
  { secrets }: Found,
  { io, variables }: CheckRequest,
): Promise<string | undefined> {
  const unwritable = server.secrets.find((name) =>
    envLine(name, secrets.get(name) ?? "") === undefined
  );
  if (unwritable !== undefined) {
    return `the value of ${unwritable} cannot be written to sentinel.env`;
  }
  const text = tomlOf({ servers: [server], toolsets: [] });
  const [issue] = await issuesOf(text, "", { io, variables: new Map([...variables, ...secrets]) });
  if (issue === undefined) return undefined;
  // The message may quote a value; path and hint do not.
  const key = issue.path.slice(`backends.${server.name}.`.length);
  return `the configuration refuses ${visible(key || "it")}: ${
    visible(issue.hint || issue.message)
  }`;
}

async function issuesOf(
  text: string,
  file: string,
  { io, variables }: CheckRequest,
): Promise<readonly Issue[]> {
  const env = { ...Object.fromEntries(variables), ...io.env };
  try {
    await parseText(text, file, { io: { ...io, env: withoutOverrides(env) }, options: {} });
    return [];
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    return thrown.issues.filter(({ code }) => code !== "unresolved");
  }
}

/** Variables that change keys of the configuration have nothing to do with what is written. */
function withoutOverrides(env: Io["env"]): Io["env"] {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^SENTINEL_[A-Z]+_/.test(name)),
  );
}
