import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import process from "node:process";

/** Which core runs what: generator and backend share one, so that the target has the other alone. */
const CORES = { load: "0", target: "1" } as const;

/** Puts this process on the load core and tells how to put others; does nothing on one core. */
export interface Pinning {
  readonly active: boolean;
  onLoadCore(command: readonly string[]): readonly string[];
  onTargetCore(command: readonly string[]): readonly string[];
}

export function pin(): Pinning {
  const active = availableParallelism() > 1 && movedToLoadCore();
  const on = (core: string) => (command: readonly string[]) =>
    active ? ["taskset", "-c", core, ...command] : command;
  return { active, onLoadCore: on(CORES.load), onTargetCore: on(CORES.target) };
}

function movedToLoadCore(): boolean {
  try {
    execFileSync("taskset", ["-a", "-c", "-p", CORES.load, String(process.pid)], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false; // no taskset here: the report says that nothing was pinned
  }
}
