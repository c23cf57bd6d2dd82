/** What the kernel says about processes (`/proc`, Linux only). */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Fields of `/proc/<pid>/stat`, counted from the one behind the program's name. */
const STATE = 0;
const GROUP = 2;
const SESSION = 3;
/** User and system time, then those of children that were waited for. */
const TIMES = [11, 12, 13, 14] as const;
const START_TIME = 19;
const RESIDENT_PAGES = 21;
/** Clock ticks a second: fixed by the kernel's interface. */
const TICKS = 100;
const PAGE_BYTES = pageBytes();

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
  return pids()?.some((pid) => {
    const stat = statOf(pid);
    return stat?.[GROUP] === String(group) && !hasEnded(stat);
  });
}

/** What a process and those it started use now. */
export interface Usage {
  /** Resident memory; pages that several share count for each of them. */
  readonly bytes: number;
  /** Processor time, of those that have ended and were waited for too. */
  readonly seconds: number;
  readonly pids: readonly number[];
}

/**
 * What each of these leaders and the processes in its group or session use, those that have ended left
 * out. Undefined where processes cannot be seen.
 */
export function usageOf(leaders: ReadonlySet<number>): ReadonlyMap<number, Usage> | undefined {
  const all = pids();
  if (all === undefined) return undefined;
  const found = new Map<number, Usage>();
  for (const pid of all) {
    const stat = statOf(pid);
    if (stat === undefined || hasEnded(stat)) continue;
    const owners = [pid, Number(stat[GROUP]), Number(stat[SESSION])];
    const leader = owners.find((owner) => leaders.has(owner));
    if (leader === undefined) continue;
    const { bytes, seconds, pids } = found.get(leader) ?? { bytes: 0, seconds: 0, pids: [] };
    const ticks = TIMES.reduce((sum, field) => sum + Number(stat[field]), 0);
    found.set(leader, {
      bytes: bytes + Number(stat[RESIDENT_PAGES]) * PAGE_BYTES,
      seconds: seconds + ticks / TICKS,
      pids: [...pids, pid],
    });
  }
  return found;
}

/** Open descriptors of a process; undefined where they cannot be seen. */
export function descriptorsOf(pid: number | "self"): number | undefined {
  return known(() => readdirSync(`/proc/${pid}/fd`).length);
}

/** The gateway's own hard limit, which a child's cannot pass; undefined where there is none or it is unknown. */
export function hardLimit(name: "open files" | "processes"): number | undefined {
  const text = known(() => readFileSync("/proc/self/limits", "utf8"));
  const hard = new RegExp(`^Max ${name}\\s+\\S+\\s+(\\d+)`, "m").exec(text ?? "")?.[1];
  return hard === undefined ? undefined : Number(hard);
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

function pids(): number[] | undefined {
  return known(() => readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number));
}

/** The kernel tells each process (AT_PAGESZ of its auxiliary vector); 4096 where that cannot be read. */
function pageBytes(): number {
  const AT_PAGESZ = 6n;
  const vector = known(() => readFileSync("/proc/self/auxv"));
  for (let at = 0; vector !== undefined && at + 16 <= vector.length; at += 16) {
    if (vector.readBigUInt64LE(at) === AT_PAGESZ) return Number(vector.readBigUInt64LE(at + 8));
  }
  return 4096;
}

function known<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined; // no such process, no /proc, or no permission: not known in any case
  }
}
