/** How much the process is under: the delay of its event loop, its memory, and what the container allows. */
import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import type { Pressure } from "../ports/pressure.ts";

/** Between two measurements of the delay. */
const TICK_MS = 100;
/** Over how many of them the mean is taken: a second. */
const TICKS = 10;

export interface MeasuredPressure extends Pressure {
  close(): void;
}

/** Measures until it is closed. */
export function measurePressure(): MeasuredPressure {
  const late = new Float64Array(TICKS);
  let ticks = 0;
  let due = performance.now() + TICK_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    late[ticks++ % TICKS] = Math.max(0, now - due);
    due = now + TICK_MS;
  }, TICK_MS);
  timer.unref();
  return {
    memoryLimit: containerLimit(),
    get lagMs() {
      return late.reduce((sum, ms) => sum + ms, 0) / TICKS;
    },
    get memoryBytes() {
      return process.memoryUsage.rss();
    },
    close: () => clearInterval(timer),
  };
}

const ROOT = "/sys/fs/cgroup";

/**
 * The smallest limit of the process's control group and of those around it (cgroup v1 and v2).
 * @param root of the control groups; @param membership text of `/proc/self/cgroup`
 * @returns bytes; undefined where there is none below the memory of the machine
 */
export function containerLimit(
  root: string = ROOT,
  membership: string = textOf("/proc/self/cgroup") ?? "",
): number | undefined {
  const limits = membership.split("\n").flatMap((line) => {
    const [, controllers = "", path = "/"] = line.split(":");
    if (controllers === "") return limitsAbove(root, path, "memory.max");
    return controllers.split(",").includes("memory")
      ? limitsAbove(join(root, "memory"), path, "memory.limit_in_bytes")
      : [];
  });
  const limit = Math.min(...limits);
  return limit < totalmem() ? limit : undefined;
}

/** In a container the path may be the host's, of which only the root is there. */
function limitsAbove(root: string, path: string, file: string): number[] {
  const found: number[] = [];
  for (let place = join("/", path);; place = dirname(place)) {
    const text = textOf(join(root, place, file));
    // "max" is no limit.
    if (text !== undefined && /^\d+\s*$/.test(text)) found.push(Number(text));
    if (place === "/") return found;
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
