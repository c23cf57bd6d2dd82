/** What the kernel says about processes (`/proc`, Linux only). */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Fields of `/proc/<pid>/stat`, counted from the one behind the program's name. */
const STATE = 0;
const GROUP = 2;
const START_TIME = 19;

/**
 * Kernel start time of a process in clock ticks since boot; undefined when it has ended or cannot be seen.
 * Pids are used again: pid and start time together name a process for good.
 */
export function startTime(pid: number): string | undefined {
  const stat = statOf(pid);
  return stat === undefined || hasEnded(stat) ? undefined : stat[START_TIME];
}

/** Where pids and start times mean the same as here: this boot, this pid namespace. */
export function machine(): string | undefined {
  return known(() => {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  });
}

/** Whether a process of the group runs, zombies aside; undefined where it cannot be told. */
export function runsInGroup(group: number): boolean | undefined {
  const pids = known(() => readdirSync("/proc").filter((name) => /^\d+$/.test(name)));
  return pids?.some((pid) => {
    const stat = statOf(Number(pid));
    return stat?.[GROUP] === String(group) && !hasEnded(stat);
  });
}

/** Zombies have ended, though nobody asked for their exit code yet. */
function hasEnded(stat: readonly string[]): boolean {
  return stat[STATE] === "Z" || stat[STATE] === "X";
}

function statOf(pid: number): string[] | undefined {
  const stat = known(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  // The program's name may contain anything, parentheses and spaces too.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function known<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined; // no such process, no /proc, or no permission: not known in any case
  }
}
