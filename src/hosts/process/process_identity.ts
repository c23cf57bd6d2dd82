/** Names a process for good: pids are used again, the start time of a process is not. Linux only. */
import { readFileSync, readlinkSync } from "node:fs";

/** Fields of `/proc/<pid>/stat` behind the program's name, which may contain anything. */
const START_TIME_FIELD = 19;

/** Kernel start time of a process in clock ticks since boot; undefined when it is gone or unreadable. */
export function startTime(pid: number): string | undefined {
  const stat = read(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[START_TIME_FIELD];
}

/** Where pids and start times mean the same as here: this boot, this pid namespace. */
export function machine(): string | undefined {
  return read(() => {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  });
}

function read(file: () => string): string | undefined {
  try {
    return file();
  } catch {
    return undefined; // no such process, no /proc, or no permission: not known in any case
  }
}
