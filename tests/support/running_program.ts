/** A program started by a test, with bounded waits: it is up in time, and it is gone in time. */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import type { Command } from "./runtime.ts";

export interface ProgramExit {
  /** As a shell shows it: 128 and the number of the signal for a program that a signal ended. */
  readonly code: number;
}

/** Output kept for the message of a failed wait. */
const MAX_OUTPUT = 256 * 1024;
const START_MS = 30_000;
/** Longer than the gateway's own drain and the grace of its children together. */
const STOP_MS = 35_000;

export class RunningProgram {
  readonly pid: number;
  readonly exited: Promise<ProgramExit>;
  stdout = "";
  stderr = "";
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #running = true;
  #exit: ProgramExit | undefined;

  /** `env` is the whole environment; `cwd` is the folder it starts in, by default the test's own. */
  constructor({ command, args }: Command, env: NodeJS.ProcessEnv = process.env, cwd?: string) {
    const folder = cwd === undefined ? {} : { cwd };
    this.#child = spawn(command, args, { env, ...folder, stdio: ["ignore", "pipe", "pipe"] });
    if (this.#child.pid === undefined) throw new Error(`Cannot start "${command}"`);
    this.pid = this.#child.pid;
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout = (this.stdout + text).slice(-MAX_OUTPUT);
      this.#changed();
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr = (this.stderr + text).slice(-MAX_OUTPUT);
      this.#changed();
    });
    this.#child.on("exit", () => this.#running = false);
    this.exited = new Promise((resolve) => {
      this.#child.on("close", (code, signal) => {
        this.#exit = { code: code ?? 128 + (constants.signals[signal ?? "SIGKILL"] ?? 0) };
        resolve(this.#exit);
        this.#changed();
      });
    });
  }

  /**
   * The first match in what the program has written to stdout or stderr.
   * @throws Error with its output when it ends first, or not in time
   */
  async printed(pattern: RegExp, ms: number = START_MS): Promise<RegExpExecArray> {
    const match = () => pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
    await this.#until(() => match() !== null || this.#exit !== undefined, ms);
    const found = match();
    if (found !== null) return found;
    const state = this.#exit === undefined ? "still running" : JSON.stringify(this.#exit);
    throw new Error(`Not printed: ${pattern} (${state})\n${this.stdout}\n${this.stderr}`);
  }

  /**
   * Asks the program to end.
   * @throws Error when it does not end in time; it is killed then
   */
  async stop(ms: number = STOP_MS): Promise<ProgramExit> {
    this.#signal("SIGTERM");
    await this.#until(() => this.#exit !== undefined, ms);
    if (this.#exit !== undefined) return this.#exit;
    await this.kill();
    throw new Error(
      `Process ${this.pid} did not end within ${ms} ms\n${this.stdout}\n${this.stderr}`,
    );
  }

  /** Ends it without a chance to clean up. */
  kill(): Promise<ProgramExit> {
    this.#signal("SIGKILL");
    return this.exited;
  }

  /** By id, because Deno's `kill` does nothing the second time. */
  #signal(signal: "SIGTERM" | "SIGKILL"): void {
    if (this.#running) process.kill(this.pid, signal);
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** Resolves when the condition holds, or after the time. */
  #until(condition: () => boolean, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        resolve();
      };
      const watcher = () => {
        if (condition()) finish();
      };
      const timer = setTimeout(finish, ms);
      this.#watchers.add(watcher);
      watcher();
    });
  }
}
