/**
 * Load that does not wait for answers, from a process of its own: what it costs is not the gateway's, and what the
 * gateway does to its calls does not slow it down.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import type { RowC } from "../../support/faults/ledgers.ts";
import { commandOf } from "../../support/runtime.ts";
import type { CpuTime } from "../cpu_time.ts";

/** A stretch of load at one rate. */
export interface Phase {
  readonly name: string;
  /** Calls per second that become due. */
  readonly rate: number;
  readonly ms: number;
}

export interface OpenLoadOptions {
  readonly url: URL;
  /** Exposed name of what is called. */
  readonly tool: string;
  /** Each with a session and a name of its own, in turn. */
  readonly clients: number;
  /** Calls under way at most: one that becomes due while all are taken is not sent at all. */
  readonly connections: number;
  /** Processes whose CPU time is told for each phase, beside the load's own (`load`). */
  readonly watched: Readonly<Record<string, number>>;
  /** A file of ledger C, which every run appends to. */
  readonly ledger: string;
}

/** What became of one phase, apart from ledger C. */
export interface PhaseSent {
  readonly name: string;
  /** Beginning and end, milliseconds since the run began. */
  readonly from: number;
  readonly to: number;
  /** Calls that became due. */
  readonly due: number;
  /** Of these, such that found no free connection. */
  readonly unsent: number;
  /** 99th percentile of how late calls were sent, milliseconds: a load that is late measures itself. */
  readonly lateMs: number;
  /** Main threads, by the names of `watched`, and `load`. */
  readonly cpu: Readonly<Record<string, CpuTime>>;
}

export interface OpenRun {
  /** When it began, milliseconds since 1970. */
  readonly startedAt: number;
  readonly phases: readonly PhaseSent[];
  /** Refusals that do not say when to come again. */
  readonly withoutRetry: number;
}

/** What the process is told, a line each; every line is answered by one. */
export interface RunOrder {
  readonly prefix: string;
  readonly phases: readonly Phase[];
}

export class OpenLoad implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #ledger: string;
  #read = 0;

  private constructor(child: ChildProcess, ledger: string) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    this.#ledger = ledger;
  }

  /** Starts the process, on Node whatever runs the proof: the load is the same for every gateway. */
  static async start(options: OpenLoadOptions): Promise<OpenLoad> {
    const given = JSON.stringify(options);
    const { command, args } = commandOf(
      "tests/proofs/overload/open_load_process.ts",
      [given],
      "node",
    );
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    const load = new OpenLoad(child, options.ledger);
    try {
      await load.#line();
      return load;
    } catch (cause) {
      await load[Symbol.asyncDispose]();
      throw cause;
    }
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error("Cannot start the process of the load");
    return pid;
  }

  /** Resolves when the phases are over and every call has ended. `prefix`: beginning of the nonces. */
  async run(prefix: string, phases: readonly Phase[]): Promise<OpenRun> {
    const order: RunOrder = { prefix, phases };
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    return JSON.parse(await this.#line()) as OpenRun;
  }

  /** Ledger C of the runs since it was asked for last; `at` counts from the run's own beginning. */
  rows(): RowC[] {
    const text = readFileSync(this.#ledger);
    const rows = text.toString("utf8", this.#read).split("\n").filter((line) => line !== "");
    this.#read = text.length;
    return rows.map((line) => JSON.parse(line) as RowC);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }

  /** @throws Error when the process ends instead of answering */
  async #line(): Promise<string> {
    const ended = new AbortController();
    const isOver = () => ended.abort(new Error("The process of the load ended"));
    this.#child.once("exit", isOver);
    try {
      const [line] = await once(this.#lines, "line", { signal: ended.signal });
      return String(line);
    } finally {
      this.#child.off("exit", isOver);
    }
  }
}
