/** Starts backends' processes on Node, Deno and Bun: `node:child_process` behaves alike on all three. */
import { type ChildProcessWithoutNullStreams, spawn as start } from "node:child_process";
import process from "node:process";
import type { Log } from "../../ports/log.ts";
import type { Child, Spawner, SpawnOptions } from "../../ports/process.ts";
import { FailedChild, GroupChild } from "./child.ts";
import { ChildRecord } from "./child_record.ts";
import { findCommand } from "./command.ts";
import { Guard } from "./guard.ts";
import { findLauncher } from "./launcher.ts";
import { failureOf, nulIn } from "./start_failure.ts";

export interface SpawnerOptions {
  readonly log: Log;
  /** Where running children are recorded; without it a later start cannot find strays. */
  readonly stateDir?: string;
  /** "none": children are started directly and may outlive a gateway that is killed. */
  readonly launcher?: "auto" | "none";
}

export interface ProcessSpawner extends Spawner {
  /** What lets the kernel kill a child with the gateway; undefined where nothing does. */
  readonly launcher: string | undefined;
  /** Kills children that an earlier gateway with the same state directory left; gives their number. */
  sweepStrays(): Promise<number>;
  /** Kills children that still run and ends the guard. Call it when all of them should be gone. */
  close(): void;
}

/** Finds out what this machine offers against orphans; asks it once, so create one for each process. */
export async function createSpawner(options: SpawnerOptions): Promise<ProcessSpawner> {
  const launcher = options.launcher === "none" ? undefined : await findLauncher();
  return new NodeSpawner(options, launcher);
}

class NodeSpawner implements ProcessSpawner {
  readonly launcher: string | undefined;
  readonly #words: readonly string[];
  readonly #log: Log;
  readonly #record: ChildRecord | undefined;
  readonly #guarded: boolean;
  readonly #running = new Set<GroupChild>();
  #guard: Guard | undefined;

  constructor({ log, stateDir, launcher }: SpawnerOptions, words: readonly string[] = []) {
    this.#log = log;
    this.#words = words;
    this.launcher = words[0];
    this.#guarded = launcher !== "none";
    this.#record = stateDir === undefined ? undefined : ChildRecord.open(stateDir);
  }

  inherited(name: string): string | undefined {
    return process.env[name];
  }

  spawn(options: SpawnOptions): Child {
    const nul = nulIn(options);
    if (nul !== undefined) return new FailedChild(`${nul} contains a NUL character`);
    const found = findCommand(options.command, options);
    if ("failure" in found) return new FailedChild(found.failure);
    const [program = found.path, ...args] = [...this.#words, found.path, ...options.args];
    try {
      return this.#started(startGroup(program, args, options), options);
    } catch (error) {
      return new FailedChild(failureOf(error, options.command));
    }
  }

  sweepStrays(): Promise<number> {
    const strays = this.#tryRecord((record) => record.sweep()) ?? [];
    for (const { name, pid } of strays) this.#log.write("backend.stray", { backend: name, pid });
    return Promise.resolve(strays.length);
  }

  close(): void {
    for (const child of this.#running) child.kill("SIGKILL");
    this.#guard?.close();
  }

  #started(started: ChildProcessWithoutNullStreams, { name, command }: SpawnOptions): Child {
    const { pid } = started;
    if (pid === undefined) {
      const { promise, resolve } = Promise.withResolvers<string>();
      started.once("error", (error) => resolve(failureOf(error, command)));
      return new FailedChild(promise);
    }
    const child = new GroupChild(started, pid);
    this.#watch(child, name);
    return child;
  }

  #watch(child: GroupChild, name: string): void {
    if (this.#guarded) {
      this.#guard ??= new Guard((reason) => this.#unprotected("guard", reason));
      this.#guard.add(child.pid);
    }
    this.#running.add(child);
    this.#tryRecord((record) => record.add(child.pid, name));
    void child.exited.then(() => {
      this.#running.delete(child);
      this.#guard?.drop(child.pid);
      this.#tryRecord((record) => record.drop(child.pid));
    });
  }

  /** A record that cannot be kept is told, and costs nothing else. */
  #tryRecord<R>(use: (record: ChildRecord) => R): R | undefined {
    if (this.#record === undefined) return undefined;
    try {
      return use(this.#record);
    } catch (error) {
      this.#unprotected("record", error instanceof Error ? error.message : "unknown");
      return undefined;
    }
  }

  #unprotected(part: "guard" | "record", reason: string): void {
    this.#log.write("gateway.unprotected", { part, reason });
  }
}

function startGroup(
  program: string,
  args: readonly string[],
  { env, cwd }: SpawnOptions,
): ChildProcessWithoutNullStreams {
  return start(program, args, {
    detached: true,
    // Node and Deno pass this variable on unless it is named.
    env: { NODE_V8_COVERAGE: undefined, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ["pipe", "pipe", "pipe"],
  });
}
