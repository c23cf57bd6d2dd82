/** The configuration, as `doctor` sees it: found, read, checked, its references resolved. */
import { resolve } from "node:path";
import { ConfigError, type Issue } from "../../src/config/issue.ts";
import type { ParsedConfig } from "../../src/config/parse.ts";
import { textsBelow } from "../../src/config/raw.ts";
import { referencesIn } from "../../src/config/references.ts";
import { parseToml } from "../../src/config/syntax.ts";
import type { Check } from "../../src/contract/diagnosis.ts";
import {
  checkWriters,
  findConfig,
  loadConfig,
  type LoadedConfig,
  parseText,
  searchPath,
} from "../config_file.ts";
import type { ConfigOptions } from "../config_options.ts";
import { CommandFailed } from "../exit.ts";
import type { Io } from "../io.ts";
import { counted } from "../output.ts";

/** What was found of a configuration. */
export interface ExaminedConfig {
  readonly checks: readonly Check[];
  /** Undefined when it cannot be used. */
  readonly parsed: ParsedConfig | LoadedConfig | undefined;
  /** Absolute path; undefined without a file. */
  readonly path: string | undefined;
}

/** Mistakes of these kinds are about secrets. */
const ABOUT_SECRETS: readonly Issue["code"][] = ["unresolved", "bad_reference", "secret_literal"];

/** Without a file the defaults are looked at. @throws CommandFailed for wrong options */
export async function examineConfig(io: Io, options: ConfigOptions): Promise<ExaminedConfig> {
  const file = await findConfig(io, options.config);
  if (file === undefined) {
    const parsed = await parseText("", "sentinel.toml", { io, options });
    return { checks: [noFile(io)], parsed, path: undefined };
  }
  const path = resolve(io.cwd, file);
  try {
    const loaded = await loadConfig({ io, options: { ...options, config: file } });
    const writers = await writerChecks(file, io);
    const checks = [...goodChecks(file, loaded), ...writers, ...secretChecks(loaded.text, file)];
    return { checks, parsed: loaded, path };
  } catch (thrown) {
    return { checks: failures(thrown, file), parsed: undefined, path };
  }
}

function noFile(io: Io): Check {
  return {
    section: "config",
    level: "warn",
    text: "no configuration found; what follows is about the defaults",
    detail: searchPath(io).map((place) => `looked for ${place}`),
    cure: "mcp-sentinel up  needs none\n" +
      "mcp-sentinel import  takes over the servers of your clients\n" +
      "mcp-sentinel init  writes a commented one",
  };
}

function goodChecks(file: string, { config, warnings, notices }: ParsedConfig): readonly Check[] {
  const facts = [
    file,
    counted(Object.keys(config.backends).length, "backend"),
    ...Object.keys(config.roles).length === 0
      ? []
      : [counted(Object.keys(config.roles).length, "role")],
    ...config.rules.length === 0 ? [] : [counted(config.rules.length, "rule")],
  ];
  const row = { section: "config" } as const;
  return [
    { ...row, level: "ok", text: facts.join(", ") },
    ...[...warnings, ...notices].map((text): Check => ({ ...row, level: "warn", text })),
  ];
}

/** Who may write the file decides what is started. */
async function writerChecks(file: string, io: Io): Promise<readonly Check[]> {
  const row = { section: "config" } as const;
  try {
    const warning = await checkWriters(file, io);
    return warning === undefined ? [] : [{ ...row, level: "warn", text: warning }];
  } catch (thrown) {
    if (!(thrown instanceof CommandFailed)) throw thrown;
    return [{ ...row, level: "fail", text: thrown.message, cure: thrown.hint }];
  }
}

function secretChecks(text: string, file: string): readonly Check[] {
  const tree = parseToml(text.replace(/^\ufeff/, ""), file);
  const count = [...textsBelow(tree)].flatMap(([, value]) => referencesIn(value)).length;
  const found = count === 0 ? "no references" : `${counted(count, "reference")} resolved, 0 empty`;
  return [{ section: "secrets", level: "ok", text: found }];
}

function failures(thrown: unknown, file: string): readonly Check[] {
  if (thrown instanceof ConfigError) return thrown.issues.map(issueCheck);
  if (!(thrown instanceof CommandFailed)) throw thrown;
  const row = { section: "config", name: file, level: "fail" } as const;
  return [{ ...row, text: thrown.message, cure: thrown.hint || "mcp-sentinel validate" }];
}

function issueCheck({ code, file, line, column, path, message, hint }: Issue): Check {
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  return {
    section: ABOUT_SECRETS.includes(code) ? "secrets" : "config",
    level: "fail",
    text: `${message}  (${path === "" ? place : `${path}, ${place}`})`,
    cure: code === "unresolved" ? `${hint}; --env-file FILE  reads variables from a file` : hint,
  };
}
