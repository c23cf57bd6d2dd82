/** Starts backends' processes on Node, Deno and Bun: `node:child_process` behaves alike on all three. */
import { type ChildProcessWithoutNullStreams, spawn as start } from "node:child_process";
import process from "node:process";
import type { Log } from "../../ports/log.ts";
import type { Child, ChildLimits, Spawner, SpawnOptions } from "../../ports/process.ts";
import { FailedChild, GroupChild } from "./child.ts";
import { ChildRecord } from "./child_record.ts";
import { findCommand } from "./command.ts";
import { Guard } from "./guard.ts";
import { findLauncher, type Launcher, NO_LAUNCHER } from "./launcher.ts";
import { MemoryWatch } from "./memory_watch.ts";
import { machine } from "./process_table.ts";
import { failureOf, nulIn } from "./start_failure.ts";

/** What children write is their user's alone. */
const CHILD_UMASK = 0o077;

export interface SpawnerOptions {
  readonly log: Log;
  /** Where running children are recorded; without it a later start cannot find strays. */
  readonly stateDir?: string;
  /** "none": children are started directly, without limits, and may outlive a gateway that is killed. */
  readonly launcher?: "auto" | "none";
}

/** A running child of a backend. */
export interface BackendProcess {
  readonly backend: string;
  readonly pid: number;
}

export interface ProcessSpawner extends Spawner {
  /** What lets the kernel kill a child with the gateway; undefined where nothing does. */
  readonly launcher: string | undefined;
  /** Children that run now; each leads a process group. */
  running(): Iterable<BackendProcess>;
  /** Kills children that an earlier gateway with the same state directory left; gives their number. */
  sweepStrays(): Promise<number>;
  /** Kills children that still run and ends the guard. Call it when all of them should be gone. */
  close(): void;
}

/** Finds out what this machine offers against orphans; asks it once, so create one for each process. */
export async function createSpawner(options: SpawnerOptions): Promise<ProcessSpawner> {
  const launcher = options.launcher === "none" ? NO_LAUNCHER : await findLauncher();
  return new NodeSpawner(options, launcher);
}

class NodeSpawner implements ProcessSpawner {
  readonly launcher: string | undefined;
  readonly #found: Launcher;
  readonly #log: Log;
  readonly #record: ChildRecord | undefined;
  readonly #guarded: boolean;
  readonly #running = new Map<GroupChild, string>();
  readonly #memory = new MemoryWatch();
  #guard: Guard | undefined;
  #toldOfLimits = false;

  constructor({ log, stateDir, launcher }: SpawnerOptions, found: Launcher) {
    this.#log = log;
    this.#found = found;
    this.launcher = found.ties?.[0];
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
    const words = [...this.#wordsBefore(options), found.path, ...options.args];
    const [program = found.path, ...args] = words;
    try {
      return this.#started(startGroup(program, args, options), options);
    } catch (error) {
      return new FailedChild(failureOf(error, options.command));
    }
  }

  *running(): Iterable<BackendProcess> {
    for (const [{ pid }, backend] of this.#running) yield { backend, pid };
  }

  sweepStrays(): Promise<number> {
    const strays = this.#tryRecord((record) => record.sweep()) ?? [];
    for (const { name, pid } of strays) this.#log.write("backend.stray", { backend: name, pid });
    return Promise.resolve(strays.length);
  }

  close(): void {
    for (const child of this.#running.keys()) child.kill("SIGKILL");
    this.#guard?.close();
  }

  #wordsBefore({ limits = {} }: SpawnOptions): readonly string[] {
    const { ties = [], bounds } = this.#found;
    if (this.#guarded) this.#tellOfLimits(limits);
    return [...bounds?.(limits) ?? [], ...ties];
  }

  #tellOfLimits({ memory, descriptors, processes }: ChildLimits): void {
    if (this.#toldOfLimits) return;
    const isBounded = this.#found.bounds !== undefined ||
      (descriptors === undefined && processes === undefined);
    const isWatched = memory === undefined || machine() !== undefined;
    if (isBounded && isWatched) return;
    this.#toldOfLimits = true;
    this.#unprotected("limits", isBounded ? "there is no /proc" : "there is no working prlimit");
  }

  #started(started: ChildProcessWithoutNullStreams, options: SpawnOptions): Child {
    const { pid } = started;
    if (pid === undefined) {
      const { promise, resolve } = Promise.withResolvers<string>();
      started.once("error", (error) => resolve(failureOf(error, options.command)));
      return new FailedChild(promise);
    }
    const child = new GroupChild(started, pid);
    this.#watch(child, options);
    return child;
  }

  #watch(child: GroupChild, { name, limits }: SpawnOptions): void {
    if (this.#guarded) {
      this.#guard ??= new Guard((reason) => this.#unprotected("guard", reason));
      this.#guard.add(child.pid);
    }
    this.#running.set(child, name);
    if (limits?.memory !== undefined) this.#memory.add(child, limits.memory);
    this.#tryRecord((record) => record.add(child.pid, name));
    void child.exited.then(() => {
      this.#running.delete(child);
      this.#memory.drop(child);
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

  #unprotected(part: "guard" | "record" | "limits", reason: string): void {
    this.#log.write("gateway.unprotected", { part, reason });
  }
}

function startGroup(
  program: string,
  args: readonly string[],
  { env, cwd }: SpawnOptions,
): ChildProcessWithoutNullStreams {
  return withUmask(() =>
    start(program, args, {
      detached: true,
      // Node and Deno pass this variable on unless it is named.
      env: { NODE_V8_COVERAGE: undefined, ...env },
      ...(cwd === undefined ? {} : { cwd }),
      stdio: ["pipe", "pipe", "pipe"],
    })
  );
}

/** The process is made within the call, on all three runtimes; no program in between could set it for it. */
function withUmask<T>(makeProcess: () => T): T {
  const own = setUmask(CHILD_UMASK);
  try {
    return makeProcess();
  } finally {
    if (own !== undefined) setUmask(own);
  }
}

/** The mask before; undefined where Deno has no permission to change it. */
function setUmask(mask: number): number | undefined {
  try {
    return process.umask(mask);
  } catch {
    return undefined;
  }
}
