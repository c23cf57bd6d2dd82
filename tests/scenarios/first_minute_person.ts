/** A person with client files and servers, who types commands and starts clients. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { parse } from "jsonc-parser";
import { RunningProgram } from "../support/running_program.ts";
import { commandOf } from "../support/runtime.ts";
import type { Client } from "../support/sdk.ts";
import { stdioServers } from "../support/servers.ts";
import { connect } from "./clients.ts";

/** A credential that stands in a client's file as it must not stand anywhere else. */
export const LITERAL = "literal-token-of-a-client-file-0123456789";

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Client files by what they are relative to: with comments, odd spacing and trailing commas. */
export class Person {
  readonly files: Readonly<Record<"claude-code" | "claude-desktop" | "cursor" | "vscode", string>>;
  readonly project: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(folder: string, remote: string) {
    const home = join(folder, "home");
    this.project = join(folder, "project");
    const config = join(home, ".config");
    const { PATH } = process.env;
    this.#env = {
      PATH,
      HOME: home,
      XDG_CONFIG_HOME: config,
      XDG_STATE_HOME: join(home, ".state"),
      NO_COLOR: "1",
    };
    this.files = {
      "claude-code": join(this.project, ".mcp.json"),
      "claude-desktop": join(config, "Claude", "claude_desktop_config.json"),
      cursor: join(home, ".cursor", "mcp.json"),
      vscode: join(config, "Code", "User", "mcp.json"),
    };
    this.#writeFiles(folder, remote);
  }

  /** Runs a command line to its end, in the folder of the project. */
  async run(...argv: string[]): Promise<Ended> {
    const program = this.start(...argv);
    const { code } = await program.exited;
    return { code, out: program.stdout, err: program.stderr };
  }

  start(...argv: string[]): RunningProgram {
    return new RunningProgram(commandOf("cli/main.ts", argv), this.#env, this.project);
  }

  /** What all client files hold, by their path. */
  bytes(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Object.values(this.files).map((file) => [file, readFileSync(file, "base64")]),
    );
  }

  /** Names of the servers in a client's file. */
  serversOf(client: keyof Person["files"]): readonly string[] {
    return Object.keys(this.#servers(client));
  }

  /** A client that does what its file says of a server: opens the URL or starts the command. */
  async open(client: keyof Person["files"], server: string): Promise<Client> {
    const { url, headers = {}, command = "", args = [] } = this.#servers(client)[server] ?? {};
    return await connect(
      url === undefined
        ? { command, args, env: this.#env as Record<string, string> }
        : { http: url, headers },
    );
  }

  #servers(client: keyof Person["files"]): Record<string, Entry> {
    const file = parse(readFileSync(this.files[client], "utf8"));
    return file.mcpServers ?? file.servers;
  }

  #writeFiles(folder: string, remote: string): void {
    const { memory, thinking } = stdioServers(folder);
    const quoted = (value: unknown) => JSON.stringify(value);
    write(
      this.files["claude-code"],
      `{"mcpServers": {"memory":${quoted({ type: "stdio", ...commandAndEnv(memory) })}}}`,
    );
    write(
      this.files["claude-desktop"],
      `{\n\t"globalShortcut": "",\n\t"mcpServers": {\n\t\t"Memory": ${
        quoted(commandAndEnv(memory))
      }\n\t}\n}`,
    );
    write(
      this.files.cursor,
      `{\r\n  "mcpServers": {\r\n    "remote": { "url": ${quoted(remote)},\r\n` +
        `      "headers": {"Authorization": "Bearer ${LITERAL}"} }\r\n  }\r\n}\r\n`,
    );
    write(
      this.files.vscode,
      `// my servers\n{\n    "servers": {\n        // thinks\n        "thinking": ${
        quoted({ type: "stdio", ...commandAndEnv(thinking) })
      }, /* in order */\n    },\n    "inputs": [],\n}\n`,
    );
  }
}

interface Entry {
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly command?: string;
  readonly args?: readonly string[];
}

function commandAndEnv({ command, args, env }: ReturnType<typeof stdioServers>["memory"]) {
  return { command, args, env };
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode: 0o600 });
}
