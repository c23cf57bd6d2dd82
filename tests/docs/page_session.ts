/** A reader who types what a page says: on a machine in a folder, with clients and without a network. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { RunningProgram } from "../support/running_program.ts";
import { type Command, commandOf, REPOSITORY } from "../support/runtime.ts";
import { packaged, stdioServers } from "../support/servers.ts";
import type { PageCommand } from "./page_commands.ts";

type Sentinel = (args: readonly string[], command: PageCommand) => Promise<void>;

/** How a command of a page is followed; `run` is the way for our own. */
type Follow = (command: PageCommand, run: Sentinel) => Promise<void> | void;

/** Commands that run until they are ended, with what they print when they are up. */
const ENDLESS: Readonly<Record<string, RegExp>> = {
  up: /MCP endpoint +http:[^]*Stop:/,
  server: /MCP endpoint +http:[^]*Stop:/,
};
/** Other exit codes than 0 that a page may lead to: its backends are examples, which answer nowhere. */
const EXPECTED: Readonly<Record<string, readonly number[]>> = { status: [0, 6], doctor: [0, 6] };
/** Ports of the system's choice, so that readers may read side by side. */
const PORTS = ["--listen", "127.0.0.1:0", "--management-port", "0"];
/** Clients' own commands that pages show: those that `connect` prints. */
const OF_CLIENTS: Readonly<Record<string, string>> = {
  claude: "claude-code",
  code: "vscode",
  codex: "codex",
};
const LITERAL = "literal-token-of-a-reader-0123456789";

/** Programs that pages name, and how each is followed. */
export const PROGRAMS: Readonly<Record<string, Follow>> = {
  "mcp-sentinel": (command, run) => run(command.words.slice(1), command),
  cd: () => undefined,
  git: ({ words }) => assert.equal(words[1], "clone"),
  npm: followNpm,
  ...Object.fromEntries(
    Object.entries(OF_CLIENTS).map(([program, client]) => [program, followClient(client)]),
  ),
};

export class Reader {
  readonly #project: string;
  readonly #env: NodeJS.ProcessEnv;
  #gateway: RunningProgram | undefined;

  /** `variables` are those the page tells its reader to set. */
  constructor(folder: string, variables: Readonly<Record<string, string>>) {
    const home = join(folder, "home");
    const bin = join(folder, "bin");
    this.#project = join(folder, "project");
    mkdirSync(this.#project);
    this.#env = {
      ...variables,
      PATH: `${bin}:${process.env["PATH"]}`,
      HOME: home,
      XDG_CONFIG_HOME: join(home, ".config"),
      XDG_STATE_HOME: join(home, ".state"),
      NO_COLOR: "1",
    };
    writeNpx(join(bin, "npx"), folder);
    const { command, args, env } = stdioServers(folder).memory;
    const memory = { command, args, env: { ...env, EXAMPLE_TOKEN: LITERAL } };
    write(join(home, ".cursor", "mcp.json"), JSON.stringify({ mcpServers: { memory } }, null, 2));
  }

  /** The file that the next commands find. */
  config(text: string): void {
    write(join(this.#project, "sentinel.toml"), text);
  }

  async follow(command: PageCommand): Promise<void> {
    const [program = ""] = command.words;
    const follow = PROGRAMS[program] ?? assert.fail(`no way is known to follow: ${command.line}`);
    await follow(command, (args) => this.#sentinel(args, command));
  }

  /** Ends what runs. */
  async end(): Promise<void> {
    await this.#gateway?.stop();
    this.#gateway = undefined;
  }

  async #sentinel(args: readonly string[], { line, output }: PageCommand): Promise<void> {
    const [verb = ""] = args;
    const up = ENDLESS[verb];
    if (up === undefined) {
      const program = this.#start(args);
      const { code } = await program.exited;
      const expected = EXPECTED[verb] ?? [0];
      assert.ok(expected.includes(code), `${line}: exit ${code}\n${program.stderr}`);
      return this.#assertShown(output, program.stdout, line);
    }
    await this.end();
    const end = args.indexOf("--");
    const own = end < 0 ? args : args.slice(0, end);
    this.#gateway = this.#start([...own, ...PORTS, ...args.slice(own.length)]);
    await this.#gateway.printed(up);
    this.#assertShown(output, this.#gateway.stdout, line);
  }

  /** Numbers are examples; what stands in front of them is not. */
  #assertShown(output: readonly string[], printed: string, line: string): void {
    const text = printed.replaceAll(this.#env["HOME"] ?? "", "~");
    for (const row of output) {
      const [label = ""] = row.trim().split(/ {3,}|\d/);
      assert.ok(text.includes(label.trim()), `${line} prints no ${JSON.stringify(label)}`);
    }
  }

  #start(args: readonly string[]): RunningProgram {
    return new RunningProgram(commandOf("cli/main.ts", args), this.#env, this.#project);
  }
}

/** A script of package.json; `npm start` is run as it is written there. */
async function followNpm(
  { words: [, verb = "", name = ""], ...command }: PageCommand,
  run: Sentinel,
) {
  const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8"));
  if (["ci", "install", "link"].includes(verb)) return;
  const script: unknown = scripts[verb === "run" ? name : verb];
  assert.equal(typeof script, "string", `package.json has no script for: ${command.line}`);
  const [, args] = /^node \.ci\/pinned\.mjs cli\/main\.ts (.*)$/.exec(String(script)) ?? [];
  if (args === undefined) return;
  const paths = args.split(" ").map((word) =>
    word.endsWith(".toml") ? join(REPOSITORY, word) : word
  );
  await run(paths, { ...command, words: [] });
}

/** Another program's command is what `connect` prints for it, but for the address. */
function followClient(client: string): Follow {
  return async (command, run) => {
    const url = command.words.find((word) => word.startsWith("http")) ??
      "http://127.0.0.1:8808/mcp";
    const shown = command.words.filter((word) => !word.startsWith("http")).slice(0, 3).join(" ");
    await run(["connect", client, "--url", url], { ...command, output: [`or run   ${shown}`] });
  };
}

/** In place of packages from a registry: those that are installed. */
function writeNpx(file: string, folder: string): void {
  const known: Readonly<Record<string, Command>> = {
    "@modelcontextprotocol/server-everything": packaged("everything", ["stdio"]),
    "@modelcontextprotocol/server-filesystem": packaged("filesystem", [folder]),
    "@modelcontextprotocol/server-memory": packaged("memory"),
  };
  const cases = Object.entries(known).map(([name, { command, args }]) =>
    `*${name}*) exec ${[command, ...args].map((word) => `'${word}'`).join(" ")} ;;`
  );
  write(file, `#!/bin/sh\ncase "$*" in\n${cases.join("\n")}\nesac\necho "no $*" >&2\nexit 1\n`);
  chmodSync(file, 0o755);
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Names of runtimes as a page starts our program with them; all are the one that runs the test. */
export function ownWords(words: readonly string[]): readonly string[] {
  const at = words.indexOf("cli/main.ts");
  return at > 0 ? ["mcp-sentinel", ...words.slice(at + 1)] : words;
}
