/**
 * What stands before a command. `setpriv`: the kernel's promise that a child dies with the gateway (with
 * the thread that started it, to be exact, which is the main thread on all three runtimes), and that it
 * gains no privileges by what it runs. `prlimit`: no core dumps, and the limits of the configuration. Each
 * replaces itself with what follows, so pid, exit code and signal stay the command's own. A pid namespace
 * (`unshare --pid`) was tried and not taken: it needs privileges, hides exit signals and the end of stdout,
 * makes programs without a handler deaf to SIGTERM, and never reaps what browsers leave behind. Nor was a
 * shell with `umask` and `ulimit`: it changes the environment that it passes on.
 */
import { execFile } from "node:child_process";
import process from "node:process";
import type { ChildLimits } from "../../ports/process.ts";
import { findCommand } from "./command.ts";
import { hardLimit } from "./process_table.ts";

const PROBE_MS = 2000;

export interface Launcher {
  /** Words that tie a command to the gateway, path first; undefined where nothing does. */
  readonly ties: readonly string[] | undefined;
  /** Words that bound a command, path first; undefined where nothing does. */
  readonly bounds: ((limits: ChildLimits) => readonly string[]) | undefined;
}

export const NO_LAUNCHER: Launcher = { ties: undefined, bounds: undefined };

/** Finds out what there is, by trying it. */
export async function findLauncher(): Promise<Launcher> {
  if (process.platform !== "linux") return NO_LAUNCHER;
  const [ties, bounds] = await Promise.all([
    working("setpriv", ["--pdeathsig", "KILL", "--no-new-privs", "--"]),
    working("prlimit", ["--core=0:0", "--"]),
  ]);
  return { ties, bounds: bounds === undefined ? undefined : boundsWith(bounds[0] ?? "") };
}

function boundsWith(prlimit: string): (limits: ChildLimits) => readonly string[] {
  // More than the gateway itself may have cannot be given.
  const files = hardLimit("open files") ?? Infinity;
  const users = hardLimit("processes") ?? Infinity;
  return ({ descriptors, processes }) => [
    prlimit,
    "--core=0:0",
    ...(descriptors === undefined ? [] : [`--nofile=${both(Math.min(descriptors, files))}`]),
    ...(processes === undefined ? [] : [`--nproc=${both(Math.min(processes, users))}`]),
    "--",
  ];
}

/** The soft limit, which programs may raise up to the hard one. */
function both(limit: number): string {
  return `${limit}:${limit}`;
}

/** The words with the program's path, when they work. */
async function working(
  name: string,
  options: readonly string[],
): Promise<readonly string[] | undefined> {
  const found = findCommand(name, { env: { PATH: process.env["PATH"] ?? "" } });
  if ("failure" in found) return undefined;
  const words = [found.path, ...options];
  return await works(words) ? words : undefined;
}

/** Other builds do not know the options; a sandbox may refuse the call. */
function works([program = "", ...args]: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      execFile(
        program,
        [...args, "true"],
        { timeout: PROBE_MS, env: {} },
        (error) => resolve(error === null),
      );
    } catch {
      resolve(false); // Deno without permission to run it
    }
  });
}
