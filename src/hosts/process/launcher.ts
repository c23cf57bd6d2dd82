/**
 * The kernel's promise that a child dies with the gateway: with the thread that started it, to be exact,
 * which is the main thread on all three runtimes. `setpriv` replaces itself with the command, so pid, exit
 * code and signal stay the command's own. A pid namespace (`unshare --pid`) was tried and not
 * taken: it needs privileges, hides exit signals and the end of stdout, makes programs without a handler
 * deaf to SIGTERM, and never reaps what browsers leave behind.
 */
import { execFile } from "node:child_process";
import process from "node:process";
import { findCommand } from "./command.ts";

const PROBE_MS = 2000;

/** Words to put before a command, path first; undefined where there is no working launcher. */
export async function findLauncher(): Promise<readonly string[] | undefined> {
  if (process.platform !== "linux") return undefined;
  const found = findCommand("setpriv", { env: { PATH: process.env["PATH"] ?? "" } });
  if ("failure" in found) return undefined;
  const words = [found.path, "--pdeathsig", "KILL", "--"];
  return await works(words) ? words : undefined;
}

/** Other builds of `setpriv` do not know the option; a sandbox may refuse the call. */
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
