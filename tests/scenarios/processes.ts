import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** All processes of this machine that still run; what only waits for its parent is gone. */
async function processes(): Promise<readonly ProcessRow[]> {
  const { stdout } = await run("ps", ["-A", "-o", "pid=,ppid=,stat=,args="], {
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout.split("\n").flatMap((line) => {
    const [, pid, parent, state = "", command = ""] =
      /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || state.startsWith("Z")) return [];
    return [{ pid: Number(pid), parent: Number(parent), command }];
  });
}

/** Children, grandchildren and so on. */
export async function descendants(pid: number): Promise<readonly ProcessRow[]> {
  const all = await processes();
  const found: ProcessRow[] = [];
  for (let parents = [pid]; parents.length > 0;) {
    const next = all.filter((row) => parents.includes(row.parent));
    found.push(...next);
    parents = next.map((row) => row.pid);
  }
  return found;
}

/** Those of the rows that are still there, same command included: ids are used again. */
export async function survivors(rows: readonly ProcessRow[]): Promise<readonly ProcessRow[]> {
  const all = await processes();
  return rows.filter(({ pid, command }) =>
    all.some((row) => row.pid === pid && row.command === command)
  );
}
