import { readdirSync, readFileSync } from "node:fs";

/** What a process and all its descendants have used so far. */
export interface Usage {
  /** CPU time of each thread in nanoseconds. */
  readonly threads: ReadonlyMap<string, number>;
  readonly rssKib: number;
}

/**
 * Reads CPU time of all threads from the scheduler's own accounting: exact to the microsecond where
 * `getrusage` ticks. A child that has exited is not in it. Linux only.
 */
export function usageOf(pid: number): Usage {
  const threads = new Map<string, number>();
  let rssKib = 0;
  for (const member of family(pid)) {
    for (const thread of listing(`/proc/${member}/task`)) {
      const account = text(`/proc/${member}/task/${thread}/schedstat`);
      if (account !== "") threads.set(thread, Number.parseInt(account, 10));
    }
    rssKib += Number(/VmRSS:\s+(\d+)/.exec(text(`/proc/${member}/status`))?.[1] ?? 0);
  }
  return { threads, rssKib };
}

/**
 * CPU time between two readings, in nanoseconds. Of a thread that ended between them (compilers come and
 * go) the last stretch is lost; it must not take the time before the first reading with it.
 */
export function cpuBetween(before: Usage, after: Usage): number {
  let total = 0;
  for (const [thread, cpuNs] of after.threads) total += cpuNs - (before.threads.get(thread) ?? 0);
  return total;
}

/** Pids of a process and of all below it. */
export function family(root: number): readonly string[] {
  const children = new Map<string, string[]>();
  for (const pid of listing("/proc").filter((name) => /^\d+$/.test(name))) {
    // Field 4, counted after the command name, which may itself hold spaces and brackets.
    const parent = text(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ")[1];
    if (parent !== undefined) children.set(parent, [...children.get(parent) ?? [], pid]);
  }
  const found = [String(root)];
  for (const pid of found) found.push(...children.get(pid) ?? []);
  return found;
}

/** Processes and threads come and go between listing and reading; what is gone counts nothing. */
export function text(path: string): string {
  return orElse("", () => readFileSync(path, "utf8"));
}

/** As `text`, of a folder. */
export function listing(path: string): readonly string[] {
  return orElse([], () => readdirSync(path));
}

function orElse<T>(gone: T, read: () => T): T {
  try {
    return read();
  } catch {
    return gone;
  }
}
