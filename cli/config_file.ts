/** Finds, reads and parses the configuration for a command. */
import { constants } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import process from "node:process";
import { formatIssues } from "../src/config/format.ts";
import { ConfigError } from "../src/config/issue.ts";
import type { Override } from "../src/config/overrides.ts";
import { parseConfig, type ParsedConfig } from "../src/config/parse.ts";
import type { ReadFile } from "../src/config/references.ts";
import type { Config } from "../src/contract/config.ts";
import { variables } from "./env_file.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import type { Io } from "./io.ts";
import { type ConfigOptions, optionOverrides } from "./config_options.ts";
import { counted, type Output } from "./output.ts";

const LARGEST_CONFIG = 4 * 1024 * 1024;
const LARGEST_SECRET = 64 * 1024;
const GROUP_MAY_WRITE = 0o020;
const OTHERS_MAY_WRITE = 0o002;

export interface LoadedConfig extends ParsedConfig {
  /** As given, or as found. */
  readonly file: string;
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

export interface LoadRequest {
  readonly io: Io;
  readonly options: ConfigOptions;
  /** Values that win over file and environment, beside those of the options. */
  readonly overrides?: readonly Override[];
}

/** Where a configuration is looked for, in order. */
export function searchPath({ env, cwd }: Io): string[] {
  const home = env["HOME"] ?? homedir();
  const user = env["XDG_CONFIG_HOME"] || join(home, ".config");
  return [
    join(cwd, "sentinel.toml"),
    join(user, "mcp-sentinel", "sentinel.toml"),
    "/etc/mcp-sentinel/sentinel.toml",
  ];
}

/**
 * The file to use: the one that was named, else the first that exists, relative when it lies in the current
 * folder; undefined when there is none.
 */
export async function findConfig(io: Io, named: string | undefined): Promise<string | undefined> {
  if (named !== undefined) return named;
  for (const candidate of searchPath(io)) {
    if (await exists(candidate)) {
      return dirname(candidate) === io.cwd ? basename(candidate) : candidate;
    }
  }
  return undefined;
}

/**
 * Reads and parses the configuration.
 * @throws CommandFailed when there is no file or it cannot be read; ConfigError when it is wrong
 */
export async function loadConfig(request: LoadRequest): Promise<LoadedConfig> {
  const { io, options } = request;
  const file = await findConfig(io, options.config);
  if (file === undefined) {
    const places = searchPath(io).map((place) => `  ${place}`).join("\n");
    const hint = "mcp-sentinel init  writes one,  mcp-sentinel up  needs none";
    throw new CommandFailed(EXIT.badConfig, `no configuration found; looked for\n${places}`, hint);
  }
  const path = resolve(io.cwd, file);
  const text = await readText(path, file);
  return { file, path, text, ...await parseText(text, file, request) };
}

/** Parses a configuration that is already in memory. */
export async function parseText(
  text: string,
  file: string,
  { io, options, overrides = [] }: LoadRequest,
): Promise<ParsedConfig> {
  const folder = dirname(resolve(io.cwd, file));
  const named = options.envFile;
  const { env, warnings } = await variables({ io, named, folder, read: readText });
  const parsed = await parseConfig(text, {
    file,
    env,
    readFile: (name) => readSecret(resolve(folder, name)),
    overrides: [...optionOverrides(options, { text, file, env, cwd: io.cwd }), ...overrides],
    now: io.clock.now(),
  });
  resolvePaths(parsed.config, folder);
  return warnings.length === 0
    ? parsed
    : { ...parsed, warnings: [...warnings, ...parsed.warnings] };
}

/** Relative paths count from the file, wherever the command was started. */
function resolvePaths({ backends, server, management }: Config, folder: string): void {
  for (const backend of Object.values(backends)) {
    if (backend.cwd !== undefined) backend.cwd = resolve(folder, backend.cwd);
  }
  for (const tls of [server.tls, management.tls]) {
    if (tls === undefined) continue;
    tls.cert = resolve(folder, tls.cert);
    tls.key = resolve(folder, tls.key);
  }
  const authority = management.tls?.client_ca;
  if (management.tls !== undefined && authority !== undefined) {
    management.tls.client_ca = resolve(folder, authority);
  }
}

/**
 * Refuses a file that anybody may change: it names the programs we start.
 * @returns a warning when its group may
 */
export async function checkWriters(file: string, io: Io): Promise<string | undefined> {
  if (process.platform === "win32") return undefined;
  const { mode } = await stat(resolve(io.cwd, file));
  if ((mode & OTHERS_MAY_WRITE) !== 0) {
    const message = `everybody may write "${file}", which names the programs to start`;
    throw new CommandFailed(EXIT.unsafe, message, `chmod o-w ${file}`);
  }
  return (mode & GROUP_MAY_WRITE) === 0
    ? undefined
    : `the group may write "${file}", which names the programs to start: chmod g-w ${file}`;
}

/** Prints what is wrong with a configuration. */
export function printIssues(error: ConfigError, output: Output): void {
  output.problem(formatIssues(error.issues, output.paintError));
  output.problem(`\n${counted(error.issues.length, "error")}`);
}

async function readText(path: string, shown: string): Promise<string> {
  const text = await readBounded(path, LARGEST_CONFIG).catch((thrown: unknown) => {
    const hint = "-c FILE names another one,  mcp-sentinel init  writes one";
    throw new CommandFailed(EXIT.badConfig, `cannot read "${shown}": ${reasonOf(thrown)}`, hint);
  });
  return text;
}

async function readSecret(path: string): Promise<ReadFile> {
  try {
    const text = await readBounded(path, LARGEST_SECRET);
    return process.platform === "win32" ? { text } : { text, mode: (await stat(path)).mode };
  } catch (thrown) {
    throw new Error(reasonOf(thrown), { cause: thrown });
  }
}

async function readBounded(path: string, largest: number): Promise<string> {
  const found = await stat(path);
  if (found.isDirectory()) throw new Error("it is a folder");
  // A pipe or device has no size to check, and may never end.
  if (!found.isFile()) throw new Error("it is no regular file");
  if (found.size > largest) throw new Error(`it is larger than ${largest} bytes`);
  return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
}

function reasonOf(thrown: unknown): string {
  const { code, message } = thrown as NodeJS.ErrnoException;
  if (thrown instanceof TypeError) return "it is not UTF-8";
  if (code === "ENOENT") return "no such file";
  if (code === "EACCES") return "permission denied";
  return message;
}

async function exists(path: string): Promise<boolean> {
  return await access(path, constants.F_OK).then(() => true, () => false);
}
