/** What the kernel says of the main thread of a process, which is where a gateway does nearly all of its work. */
import { readFileSync } from "node:fs";

/** Milliseconds since the process began. */
export interface CpuTime {
  /** It ran. */
  readonly ran: number;
  /** It was ready to run, and others ran: noise of the machine. */
  readonly waited: number;
}

export function cpuTimeOf(pid: number): CpuTime {
  const [ran = 0, waited = 0] = readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")
    .map((nanoseconds) => Number(nanoseconds) / 1e6);
  return { ran, waited };
}

export function cpuTimeSince(before: CpuTime, pid: number): CpuTime {
  const { ran, waited } = cpuTimeOf(pid);
  return { ran: ran - before.ran, waited: waited - before.waited };
}
