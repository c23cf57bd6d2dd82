/** What to do about a process that does not become a backend. */
import { readdirSync } from "node:fs";
import process from "node:process";
import { tomlKey } from "../../config/toml.ts";
import type { BackendConfig } from "../../contract/mod.ts";
import { suggest } from "../../contract/suggest.ts";
import { missingVariable } from "./missing_variable.ts";

/** Programs that come with something else. */
const BRINGS: Readonly<Record<string, string>> = {
  npx: "install Node.js, which brings npx",
  node: "install Node.js",
  uvx: "install uv, which brings uvx",
  uv: "install uv",
  python: "install Python, or write python3",
  bunx: "install Bun, which brings bunx",
  docker: "install Docker",
};

/** What other complaints mean, by a text of stderr or the failure. */
const COMPLAINTS: readonly (readonly [RegExp, string])[] = [
  [/\bE404\b|404 Not Found/, "the registry has no such package: correct its name in args"],
  [/ENOTFOUND|EAI_AGAIN|ECONNREFUSED/, "it could not reach something on the network: see stderr"],
  [
    /Cannot find module|MODULE_NOT_FOUND|ModuleNotFoundError|No module named/,
    "a part of it is not installed: install the package, or correct its path in args",
  ],
  [/SyntaxError|unsupported engine/i, "it may need a newer version of its runtime"],
  [/EACCES|permission denied/i, "let the user of the gateway read and run it"],
  [/no working directory/, "correct cwd, or make the folder"],
  [/memory limit/, "raise memory in limits of this backend"],
];

/** A process that did not become a backend. */
export interface ChildFacts {
  readonly name: string;
  readonly config: BackendConfig;
  /** Last lines. */
  readonly stderr: readonly string[];
  /** Lines of stdout that are no messages. */
  readonly samples: readonly string[];
  /** It was not decided within so many milliseconds. */
  readonly lateMs: number | undefined;
}

/** @param failure why it could not be started or is gone, in words */
export function childCure(facts: ChildFacts, failure: string): string {
  const { name, config, stderr, samples, lateMs } = facts;
  if (failure.includes("command not found")) return commandCure(name, config);
  const variable = missingVariable(stderr);
  if (variable !== undefined) return variableCure(name, config, variable);
  const said = [failure, ...stderr].join("\n");
  const known = COMPLAINTS.find(([pattern]) => pattern.test(said));
  if (known !== undefined) return known[1];
  if (samples.length > 0) {
    return "stdout is for messages alone: make it log to stderr, or name a command that speaks MCP";
  }
  if (lateMs !== undefined || failure.includes("no answer within")) {
    return "start it once by hand: a first start may download, later ones are quicker";
  }
  return `run it by hand to see what it says: command and args of ${tableOf(name)}`;
}

function variableCure(
  name: string,
  { env, inherit_env: inherited }: BackendConfig,
  variable: string,
) {
  if (variable in env || inherited.includes(variable)) {
    return `it gets ${variable}, but not a value it takes: correct it`;
  }
  const isSet = (process.env[variable] ?? "") !== "";
  const entry = `${variable} = "\${env:${variable}}"`;
  const line = Object.keys(env).length === 0
    ? `add  env = { ${entry} }  to ${tableOf(name)}`
    : `add  ${entry}  to env of ${tableOf(name)}`;
  return isSet ? line : `${line}, and set the variable`;
}

function commandCure(name: string, { command = "", inherit_env: inherited, env }: BackendConfig) {
  if (!inherited.includes("PATH") && !("PATH" in env)) {
    return `it gets no PATH: add  "PATH"  to inherit_env of ${
      tableOf(name)
    }, or write the whole path`;
  }
  if (command.includes("/")) return `correct command of ${tableOf(name)}: there is no such file`;
  const brought = BRINGS[command];
  if (brought !== undefined) return brought;
  const near = suggest(command, programs(env["PATH"] ?? process.env["PATH"] ?? ""));
  if (near !== undefined) return `did you mean  command = "${near}" ?`;
  return `install it, or write its whole path as command of ${tableOf(name)}`;
}

/** Names of everything in the folders of a PATH. */
function programs(path: string): Set<string> {
  return new Set(path.split(":").filter((folder) => folder !== "").flatMap(namesIn));
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // a folder of PATH that is not there, or may not be read
  }
}

/** `[backends.github]`, as it stands in the file. */
export function tableOf(backend: string): string {
  return `[backends.${tomlKey(backend)}]`;
}
