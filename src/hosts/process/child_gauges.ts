/** Metrics of the processes that backends run, those they started included. */
import type { Telemetry } from "../../ports/telemetry.ts";
import { descriptorsOf, usageOf } from "./process_table.ts";
import type { BackendProcess } from "./spawn.ts";

const GAUGES = [
  "sentinel_backend_processes",
  "sentinel_backend_process_open_fds",
  "sentinel_backend_process_resident_memory_bytes",
] as const;
const CPU = "sentinel_backend_process_cpu_seconds_total";

interface Sum {
  processes: number;
  descriptors: number;
  bytes: number;
  seconds: number;
}

/** What was read of a leader last; of a backend that goes on without it, the time stays counted. */
interface Read {
  readonly backend: string;
  readonly seconds: number;
}

export class ChildGauges {
  readonly #telemetry: Telemetry;
  readonly #read = new Map<number, Read>();
  /** Processor time of processes that have ended. */
  readonly #past = new Map<string, number>();

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
  }

  /** Sets the gauges of backends that have processes now, and takes away those of the others. */
  collect(children: Iterable<BackendProcess>): void {
    const sums = this.#sums([...children]);
    for (const metric of [...GAUGES, CPU] as const) this.#telemetry.drop({}, metric);
    for (const [backend, { processes, descriptors, bytes, seconds }] of sums) {
      const set = (metric: (typeof GAUGES)[number] | typeof CPU, value: number) =>
        this.#telemetry.series(metric, { sentinel_backend: backend }).set(value);
      set("sentinel_backend_processes", processes);
      set("sentinel_backend_process_open_fds", descriptors);
      set("sentinel_backend_process_resident_memory_bytes", bytes);
      set(CPU, seconds + (this.#past.get(backend) ?? 0));
    }
  }

  #sums(children: readonly BackendProcess[]): Map<string, Sum> {
    const sums = new Map<string, Sum>();
    const usages = usageOf(new Set(children.map(({ pid }) => pid)));
    this.#bury((pid) => usages?.has(pid) === true);
    for (const { backend, pid } of children) {
      const usage = usages?.get(pid);
      if (usage === undefined) continue;
      this.#read.set(pid, { backend, seconds: usage.seconds });
      const sum = sums.get(backend) ?? { processes: 0, descriptors: 0, bytes: 0, seconds: 0 };
      sum.processes += usage.pids.length;
      sum.bytes += usage.bytes;
      sum.seconds += usage.seconds;
      for (const each of usage.pids) sum.descriptors += descriptorsOf(each) ?? 0;
      sums.set(backend, sum);
    }
    return sums;
  }

  #bury(lives: (pid: number) => boolean): void {
    for (const [pid, { backend, seconds }] of this.#read) {
      if (lives(pid)) continue;
      this.#read.delete(pid);
      this.#past.set(backend, (this.#past.get(backend) ?? 0) + seconds);
    }
  }
}
