/** Many sessions that say nothing, held by a process of their own: what holding them costs is not the caller's. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { commandOf } from "../runtime.ts";

/** What the process is told, a line each; every line is answered by one with a `Standing`. */
export type CrowdOrder =
  | { readonly do: "open"; readonly sessions: number; readonly withStream: boolean }
  | { readonly do: "count" }
  | { readonly do: "close" };

export interface Standing {
  /** Sessions that answered, for `count`; else those that are held. */
  readonly sessions: number;
  /** Streams that are open. */
  readonly streams: number;
}

export class Crowd {
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  }

  /** A process that opens its sessions at `url`. */
  static start(url: URL): Crowd {
    const { command, args } = commandOf("tests/support/faults/crowd_process.ts", [url.href]);
    return new Crowd(spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] }));
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error("Cannot start the process that holds the sessions");
    return pid;
  }

  /** Opens so many more. */
  open(sessions: number, withStream: boolean): Promise<Standing> {
    return this.#tell({ do: "open", sessions, withStream });
  }

  /** Pings every session. */
  count(): Promise<Standing> {
    return this.#tell({ do: "count" });
  }

  /** Ends them all, with a `DELETE` each. */
  close(): Promise<Standing> {
    return this.#tell({ do: "close" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }

  /** @throws Error when the process ends instead of answering */
  async #tell(order: CrowdOrder): Promise<Standing> {
    const ended = new AbortController();
    const isOver = () => ended.abort(new Error(`The crowd ended while it was told "${order.do}"`));
    this.#child.once("exit", isOver);
    try {
      const answer = once(this.#lines, "line", { signal: ended.signal });
      this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
      const [line] = await answer;
      return JSON.parse(line) as Standing;
    } finally {
      this.#child.off("exit", isOver);
    }
  }
}
