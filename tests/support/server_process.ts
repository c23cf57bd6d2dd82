/** A database server as a child of the test: it can be killed and frozen, and it never outlives the test. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import process from "node:process";
import { RunningProgram } from "./running_program.ts";
import type { Command } from "./runtime.ts";

export interface ServerProcessOptions extends Command {
  /** What it prints when it takes connections. */
  readonly ready: RegExp;
  /** Everything it keeps; removed when the test process ends without having stopped it. */
  readonly folder: string;
  /** Asks it to end now, whoever is connected. */
  readonly stopSignal: "SIGTERM" | "SIGINT";
}

const STOP_MS = 10_000;

/**
 * Waits for the end of the test process, of which only it holds the other end of the pipe, then kills the server
 * with its children, which may be frozen, and removes its folder.
 */
const WATCHDOG = `
trap '' HUP INT TERM
read -r word && exit 0
kill -s KILL $(ps -A -o pid= -o ppid= | awk -v server="$1" '$2 == server { print $1 }') "$1"
rm -rf "$2"
`;

export class ServerProcess {
  readonly #program: RunningProgram;
  readonly #stopSignal: ServerProcessOptions["stopSignal"];
  readonly #dismiss: () => void;
  #running = true;

  private constructor(program: RunningProgram, options: ServerProcessOptions) {
    this.#program = program;
    this.#stopSignal = options.stopSignal;
    this.#dismiss = watch(program.pid, options.folder);
    void program.exited.then(() => this.#running = false);
  }

  /** @throws Error with its output when it does not start */
  static async start(options: ServerProcessOptions): Promise<ServerProcess> {
    const server = new ServerProcess(new RunningProgram(inOwnGroup(options)), options);
    try {
      await server.#program.printed(options.ready);
      return server;
    } catch (cause) {
      await server.kill();
      throw cause;
    }
  }

  /** Its whole output. */
  get output(): string {
    return this.#program.stdout + this.#program.stderr;
  }

  /** As its operator ends it; killed when that takes too long. */
  async stop(): Promise<void> {
    this.thaw();
    if (this.#running) process.kill(this.#program.pid, this.#stopSignal);
    const timer = setTimeout(() => void this.kill(), STOP_MS);
    await this.#program.exited;
    clearTimeout(timer);
    this.#dismiss();
  }

  /** As a crash ends it, children first: none of them is left behind when it was frozen. */
  async kill(): Promise<void> {
    if (this.#running) this.#signal("SIGKILL");
    await this.#program.exited;
    this.#dismiss();
  }

  /** It keeps its connections and takes new ones, but answers nothing. */
  freeze(): void {
    this.#signal("SIGSTOP");
  }

  thaw(): void {
    if (this.#running) this.#signal("SIGCONT");
  }

  /** To the server first, so that it starts no further child meanwhile; a killed one takes its children with it. */
  #signal(signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    const { pid } = this.#program;
    if (signal !== "SIGCONT") process.kill(pid, "SIGSTOP");
    for (const child of childrenOf(pid)) send(child, signal);
    send(pid, signal);
  }
}

/** A port of the loopback nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Starts on a free port; again on another one when somebody was quicker to take it. */
export async function onFreePort<Started>(
  start: (port: number) => Promise<Started>,
): Promise<Started> {
  for (let attempt = 1;; attempt++) {
    try {
      return await start(await freePort());
    } catch (cause) {
      if (attempt === 3 || !/in use/i.test(String(cause))) throw cause;
    }
  }
}

/**
 * What kills the test's group would leave the server's children behind when they are frozen, and the watchdog
 * could not find them any more.
 */
function inOwnGroup({ command, args }: Command): Command {
  return process.platform === "linux"
    ? { command: "setsid", args: [command, ...args] }
    : { command, args };
}

/** The returned function ends the watch. */
function watch(pid: number, folder: string): () => void {
  const shell = spawn("/bin/sh", ["-c", WATCHDOG, "watchdog", String(pid), folder], {
    // A group of its own: what ends the test's group must not end it.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  shell.on("error", () => {}).unref();
  const { stdin } = shell;
  stdin.on("error", () => {});
  if ("unref" in stdin && typeof stdin.unref === "function") stdin.unref();
  return () => void stdin.end("gone\n");
}

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=", "-o", "ppid="], { encoding: "utf8" });
  return stdout.split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .flatMap(([child]) => child ?? []);
}

/** One that has just ended is as good as told. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ESRCH") throw cause;
  }
}

/** Removes a server's folder. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
