/** A real Redis server for the tests of one file. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onFreePort, removeFolder, ServerProcess } from "./server_process.ts";

export interface RedisOptions {
  /** Default: no, so that nothing is kept. */
  readonly appendonly?: boolean;
  /** Further options, as on its command line without the dashes: `{ maxmemory: "2mb" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

const COMMAND = "redis-server";
const READY = /Ready to accept connections/;

/** Started with `RedisServer.start`; must be ended with `stop`. */
export class RedisServer {
  readonly port: number;
  readonly url: string;
  readonly #folder: string;
  readonly #options: RedisOptions;
  #server: ServerProcess | undefined;

  private constructor(port: number, folder: string, options: RedisOptions) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#folder = folder;
    this.#options = options;
  }

  /** @throws Error when there is no Redis on this machine, or it does not start */
  static async start(options: RedisOptions = {}): Promise<RedisServer> {
    if (spawnSync(COMMAND, ["--version"]).error !== undefined) {
      throw new Error(
        `Cannot find "${COMMAND}": install it (Debian: apt-get install redis-server)`,
      );
    }
    const folder = mkdtempSync(join(tmpdir(), "sentinel-redis-"));
    try {
      return await onFreePort(async (port) => {
        const redis = new RedisServer(port, folder, options);
        await redis.#start();
        return redis;
      });
    } catch (cause) {
      removeFolder(folder);
      throw cause;
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

  /** On the same port, with what it kept or without (`empty`); ends it first when it runs. */
  async restart({ empty = false }: { readonly empty?: boolean } = {}): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
    if (empty) removeFolder(this.#data);
    await this.#start();
  }

  /** It keeps its connections and takes new ones, but answers nothing. */
  freeze(): void {
    this.#server?.freeze();
  }

  thaw(): void {
    this.#server?.thaw();
  }

  get #data(): string {
    return join(this.#folder, "data");
  }

  async #start(): Promise<void> {
    mkdirSync(this.#data, { recursive: true });
    const { appendonly = false, settings = {} } = this.#options;
    const all = {
      port: String(this.port),
      bind: "127.0.0.1",
      dir: this.#data,
      save: "",
      appendonly: appendonly ? "yes" : "no",
      ...settings,
    };
    this.#server = await ServerProcess.start({
      command: COMMAND,
      args: Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]),
      ready: READY,
      folder: this.#folder,
      stopSignal: "SIGTERM",
    });
  }
}
