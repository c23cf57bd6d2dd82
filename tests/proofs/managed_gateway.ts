/** The real gateway with its control plane, as a process of its own, whose file the proof rewrites. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { stringify } from "smol-toml";
import { createManagementClient, type Fetch, type ManagementClient } from "../../src/client/mod.ts";
import type { JournalEntry } from "../../src/ports/journal.ts";
import { NO_LIMITS } from "../support/editable_source.ts";
import { type ProgramExit, RunningProgram } from "../support/running_program.ts";
import { commandOf, RUNTIME, type Runtime } from "../support/runtime.ts";

/** TOML tables. */
export type Tables = Readonly<Record<string, unknown>>;

export const ADMIN_TOKEN = "admin-token-of-the-proof-0123456789abcdef";
export const READ_TOKEN = "read-token-of-the-proof-00123456789abcdef";

export interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  readonly token?: string;
  readonly key?: string;
}

/** An answer of the management API, as it stands on the wire. */
export interface Answered {
  readonly status: number;
  // deno-lint-ignore no-explicit-any -- proofs look into answers of any shape
  readonly body: any;
}

/** Real time, for clients of the management API. */
export const CLIENT_CLOCK = {
  now: () => Date.now(),
  after: (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

export class ManagedGateway {
  /** Holds the configuration and everything the gateway keeps. */
  readonly folder: string;
  /** Its configuration file. */
  readonly file: string;
  readonly #runtime: Runtime;
  readonly #entry: string;
  #program: RunningProgram | undefined;
  #url = "";
  #management = "";

  private constructor(folder: string, runtime: Runtime, entry: string) {
    this.folder = folder;
    this.file = join(folder, "sentinel.toml");
    this.#runtime = runtime;
    this.#entry = entry;
  }

  /** Writes the configuration and starts a gateway with it. `entry`: file of the program in the repository. */
  static async start(
    tables: Tables,
    runtime: Runtime = RUNTIME,
    entry = "cli/main.ts",
  ): Promise<ManagedGateway> {
    const folder = await mkdtemp(join(tmpdir(), `managed-${runtime}-`));
    const gateway = new ManagedGateway(folder, runtime, entry);
    try {
      await gateway.replaceFile(gateway.textOf(tables));
      await gateway.restart();
      return gateway;
    } catch (cause) {
      await gateway.remove();
      throw cause;
    }
  }

  /** MCP endpoint. */
  get url(): URL {
    return new URL(this.#url);
  }

  get pid(): number {
    return this.#running().pid;
  }

  get stderr(): string {
    return this.#running().stderr;
  }

  /** Base of the management API. */
  get management(): string {
    return this.#management;
  }

  /** Text of a configuration file with free ports and tokens. */
  textOf({ server, management, telemetry, ...tables }: Tables): string {
    return stringify({
      limits: NO_LIMITS,
      ...tables,
      server: { listen: "127.0.0.1:0", ...server as Tables | undefined },
      management: {
        listen: "127.0.0.1:0",
        tokens: [
          { name: "admin", scope: "admin", value: "${env:PROOF_ADMIN}" },
          { name: "reader", scope: "read", value: "${env:PROOF_READ}" },
        ],
        ...management as Tables | undefined,
      },
      telemetry: { log: { level: "warn" }, ...telemetry as Tables | undefined },
    });
  }

  /** Replaces the file in one step, as careful editors do. */
  async replaceFile(text: string): Promise<void> {
    const next = `${this.file}.next`;
    await writeFile(next, text);
    await rename(next, this.file);
  }

  /** Starts it (again) with what its folder holds. @throws Error with its output */
  async restart(): Promise<void> {
    const env = {
      ...process.env,
      XDG_STATE_HOME: this.folder,
      XDG_CONFIG_HOME: this.folder,
      PROOF_ADMIN: ADMIN_TOKEN,
      PROOF_READ: READ_TOKEN,
    };
    const args = ["server", "--config", this.file, "--json"];
    const program = new RunningProgram(commandOf(this.#entry, args, this.#runtime), env);
    this.#program = program;
    this.#url = (await program.printed(/"url":\s*"(http:[^"]+)"/))[1] ?? "";
    this.#management = (await program.printed(/"management":\s*"(http:[^"]+)"/))[1] ?? "";
  }

  client(token: string = ADMIN_TOKEN, send: Fetch = fetch): ManagementClient {
    const url = this.#management;
    return createManagementClient({
      url,
      token,
      fetch: send,
      clock: CLIENT_CLOCK,
      random: Math.random,
    });
  }

  /** Asks the management API; `path` stands below `/manage/v1`. */
  async ask(path: string, asked: Asked = {}): Promise<Answered> {
    const { method = "GET", body, token = ADMIN_TOKEN, key } = asked;
    const response = await fetch(`${this.#management}/manage/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(key === undefined ? {} : { "idempotency-key": key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }

  /** SIGHUP. */
  hangUp(): void {
    process.kill(this.pid, "SIGHUP");
  }

  /** Resolves when it has ended by itself. */
  ended(): Promise<ProgramExit> {
    return this.#running().exited;
  }

  stop(): Promise<ProgramExit> {
    return this.#running().stop();
  }

  /** `kill -9`. */
  kill(): Promise<ProgramExit> {
    return this.#running().kill();
  }

  /** Everything the journal holds, oldest first. */
  journal(): JournalEntry[] {
    const gateways = join(this.folder, "mcp-sentinel", "gateways");
    const folders = readdirSync(gateways, { withFileTypes: true })
      .filter((entry) => entry.isDirectory());
    return folders.flatMap(({ name }) => readJournal(join(gateways, name)));
  }

  /** Ends it for good and removes its folder. */
  async remove(): Promise<void> {
    await this.#program?.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  #running(): RunningProgram {
    if (this.#program === undefined) throw new Error("The gateway was not started");
    return this.#program;
  }
}

/** The file and those put aside before it. */
function readJournal(folder: string): JournalEntry[] {
  const aside = readdirSync(folder).flatMap((name) => {
    const number = /^journal\.ndjson\.(\d+)$/.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
  const current = join(folder, "journal.ndjson");
  const files = aside.sort((a, b) => a - b).map((number) => `${current}.${number}`);
  return [...files, current].filter((path) => existsSync(path)).flatMap((path) =>
    readFileSync(path, "utf8").split("\n").filter((line) => line !== "")
      .map((line) => JSON.parse(line) as JournalEntry)
  );
}
