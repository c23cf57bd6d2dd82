import { readdirSync, readFileSync } from "node:fs";

/** What a process and all its descendants have used so far. */
export interface Usage {
  readonly cpuNs: number;
  readonly rssKib: number;
}

/**
 * Reads CPU time of all threads from the scheduler's own accounting: exact to the microsecond where
 * `getrusage` ticks. A child that has exited is not in it. Linux only.
 */
export function usageOf(pid: number): Usage {
  let cpuNs = 0;
  let rssKib = 0;
  for (const member of family(pid)) {
    for (const thread of listing(`/proc/${member}/task`)) {
      cpuNs += Number.parseInt(text(`/proc/${member}/task/${thread}/schedstat`) || "0", 10);
    }
    rssKib += Number(/VmRSS:\s+(\d+)/.exec(text(`/proc/${member}/status`))?.[1] ?? 0);
  }
  return { cpuNs, rssKib };
}

function family(root: number): readonly string[] {
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

// Processes and threads come and go between listing and reading; what is gone counts nothing.
function text(path: string): string {
  return orElse("", () => readFileSync(path, "utf8"));
}

function listing(path: string): readonly string[] {
  return orElse([], () => readdirSync(path));
}

function orElse<T>(gone: T, read: () => T): T {
  try {
    return read();
  } catch {
    return gone;
  }
}
