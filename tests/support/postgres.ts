/** A real PostgreSQL for the tests of one file. */
import { execFile, type ExecFileException, execFileSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Client } from "pg";
import type { Certificate } from "./certificates.ts";
import type { Command } from "./runtime.ts";
import { onFreePort, removeFolder, ServerProcess } from "./server_process.ts";

export interface PostgresOptions {
  /** Lets clients use TLS; without it the server offers none. */
  readonly certificate?: Certificate;
  /** Further settings of the server: `{ max_connections: "5" }`. */
  readonly settings?: Settings;
}

type Settings = Readonly<Record<string, string>>;
type Rows = readonly Readonly<Record<string, unknown>>[];

const USER = "sentinel";
/** With what has to be escaped in a URL, and can be searched for in messages. */
export const POSTGRES_PASSWORD = "pass/w@rd #%1";
/** Debian's; the server refuses to run as root. */
const SYSTEM_USER = "postgres";
const READY = /database system is ready to accept connections/;
const INIT_LIMIT_MS = 60_000;
const TIMEOUT_MS = 20_000;

/** Safe against a kill of its processes, which is all that tests do to it. */
const SETTINGS: Settings = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  fsync: "off",
  full_page_writes: "off",
  max_connections: "40",
  shared_buffers: "16MB",
  // Nothing that makes its first seconds slow on a small machine.
  autovacuum: "off",
  max_wal_senders: "0",
  wal_level: "minimal",
};

/** Started with `PostgresServer.start`; must be ended with `stop`. */
export class PostgresServer {
  readonly port: number;
  /** As superuser, database `postgres`. */
  readonly url: string;
  readonly #folder: string;
  readonly #settings: Settings;
  #server: ServerProcess | undefined;
  #databases = 0;

  private constructor(port: number, folder: string, settings: Settings) {
    this.port = port;
    this.url = urlOf({ port });
    this.#folder = folder;
    this.#settings = settings;
  }

  /** @throws Error when there is no PostgreSQL on this machine, or it does not start */
  static async start(options: PostgresOptions = {}): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), "sentinel-postgres-"));
    try {
      await initialize(folder);
      const settings = { ...tlsSettings(folder, options.certificate), ...options.settings };
      return await onFreePort(async (port) => {
        const postgres = new PostgresServer(port, folder, settings);
        await postgres.#start();
        return postgres;
      });
    } catch (cause) {
      removeFolder(folder);
      throw cause;
    }
  }

  /** URL of a new, empty database; `options` follow its name: `template template0 encoding 'LATIN1'`. */
  async database(options = ""): Promise<string> {
    const name = `test_${++this.#databases}`;
    await this.run(this.url, `create database ${name} ${options}`);
    return urlOf({ port: this.port, database: name });
  }

  /** The same database as another user. */
  urlAs(url: string, user: string, password: string): string {
    const database = new URL(url).pathname.slice(1);
    return urlOf({ port: this.port, user, password, database });
  }

  /** Rows of the last statement of a text without parameters, or of one statement with them. */
  async run(url: string, text: string, values?: readonly unknown[]): Promise<Rows> {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: TIMEOUT_MS });
    client.on("error", () => {});
    await client.connect();
    try {
      const results = [
        values === undefined ? await client.query(text) : await client.query(text, [...values]),
      ];
      return results.flat().at(-1)?.rows as Rows;
    } finally {
      await client.end();
    }
  }

  /** Ends it and removes what it kept. */
  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
    removeFolder(this.#folder);
  }

  /** As a crash; `restart` starts it again. */
  async kill(): Promise<void> {
    await this.#server?.kill();
    this.#server = undefined;
  }

  /** On the same port with what it kept; ends it first when it runs. */
  async restart(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
    await this.#start();
  }

  /** It keeps its connections and takes new ones, but answers nothing. */
  freeze(): void {
    this.#server?.freeze();
  }

  thaw(): void {
    this.#server?.thaw();
  }

  async #start(): Promise<void> {
    const settings = { ...SETTINGS, port: String(this.port), ...this.#settings };
    const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    this.#server = await ServerProcess.start({
      ...asServerUser(program("postgres"), ["-D", dataOf(this.#folder), ...args]),
      ready: READY,
      folder: this.#folder,
      stopSignal: "SIGINT",
    });
  }
}

function urlOf(
  { port, user = USER, password = POSTGRES_PASSWORD, database = "postgres" }: {
    readonly port: number;
    readonly user?: string;
    readonly password?: string;
    readonly database?: string;
  },
): string {
  return `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}

function dataOf(folder: string): string {
  return join(folder, "data");
}

async function initialize(folder: string): Promise<void> {
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, POSTGRES_PASSWORD);
  for (const path of [folder, passwordFile]) giveToServer(path);
  const { command, args } = asServerUser(program("initdb"), [
    ...["-D", dataOf(folder), "-U", USER, `--pwfile=${passwordFile}`],
    ...["-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"],
  ]);
  await output(command, args);
}

function tlsSettings(folder: string, certificate: Certificate | undefined): Settings {
  if (certificate === undefined) return {};
  const [ssl_cert_file, ssl_key_file] = [join(folder, "server.crt"), join(folder, "server.key")];
  writeFileSync(ssl_cert_file, certificate.cert);
  writeFileSync(ssl_key_file, certificate.key);
  for (const path of [ssl_cert_file, ssl_key_file]) {
    chmodSync(path, 0o600);
    giveToServer(path);
  }
  return { ssl: "on", ssl_cert_file, ssl_key_file };
}

function giveToServer(path: string): void {
  if (!isRoot()) return;
  const id = execFileSync("id", ["-u", SYSTEM_USER], { encoding: "utf8" });
  chownSync(path, Number(id), -1);
}

/** Debian keeps the programs of each version in a folder of its own, outside of the path. */
function program(name: string): string {
  const versions = "/usr/lib/postgresql";
  const all = existsSync(versions) ? readdirSync(versions) : [];
  const newest = all.toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(versions, version, "bin", name))
    .find((path) => existsSync(path));
  if (newest !== undefined) return newest;
  const path = (process.env["PATH"] ?? "").split(":").map((folder) => join(folder, name));
  const found = path.find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new Error(`Cannot find "${name}": install PostgreSQL (Debian: apt-get install postgresql)`);
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function asServerUser(command: string, args: readonly string[]): Command {
  if (!isRoot()) return { command, args };
  const user = [`--reuid=${SYSTEM_USER}`, `--regid=${SYSTEM_USER}`, "--clear-groups"];
  return { command: "setpriv", args: [...user, "--", command, ...args] };
}

/** @throws Error with all it printed when it fails */
function output(command: string, args: readonly string[]): Promise<string> {
  const options = { cwd: tmpdir(), timeout: INIT_LIMIT_MS };
  return new Promise((resolve, reject) => {
    const end = (failure: ExecFileException | null, stdout: string, stderr: string) => {
      if (failure === null) resolve(stdout);
      else reject(new Error(`Cannot run "${command}": ${stdout}${stderr}`, { cause: failure }));
    };
    execFile(command, args, options, end);
  });
}
