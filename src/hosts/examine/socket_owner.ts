/** Which process listens on a port, where the kernel tells (`/proc`, Linux, processes of this user). */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";

export interface SocketOwner {
  readonly pid: number;
  /** Name of the program. */
  readonly program: string;
}

/** Fields of a line of `/proc/net/tcp`. */
const LOCAL = 1;
const STATE = 3;
const INODE = 9;
const LISTEN = "0A";

/** Undefined where that is not known. */
export function listenerOf(port: number): SocketOwner | undefined {
  const inodes = new Set(["tcp", "tcp6"].flatMap((table) => inodesOf(table, port)));
  if (inodes.size === 0) return undefined;
  const pids = known(() => readdirSync("/proc").filter((name) => /^\d+$/.test(name))) ?? [];
  const pid = pids.find((each) => holds(each, inodes));
  if (pid === undefined) return undefined;
  // Not the command line, which may hold a secret.
  const program = known(() => basename(readlinkSync(`/proc/${pid}/exe`))) ?? "a program";
  return { pid: Number(pid), program };
}

function inodesOf(table: string, port: number): readonly string[] {
  const text = known(() => readFileSync(`/proc/net/${table}`, "utf8")) ?? "";
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return text.split("\n").slice(1).map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[STATE] === LISTEN && fields[LOCAL]?.endsWith(wanted) === true)
    .flatMap((fields) => fields[INODE] ?? []);
}

function holds(pid: string, inodes: ReadonlySet<string>): boolean {
  const descriptors = known(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
  return descriptors.some((descriptor) => {
    const target = known(() => readlinkSync(`/proc/${pid}/fd/${descriptor}`)) ?? "";
    return inodes.has(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? "");
  });
}

function known<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch {
    return undefined; // no /proc, it has ended, or it is another user's
  }
}
