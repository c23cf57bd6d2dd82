/** Metrics of the process itself and of the processes it started, the same on every runtime. */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import type { Cancel } from "../ports/clock.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { VERSION } from "./version.ts";

/** Between two looks at how late timers fire. */
const LAG_INTERVAL_MS = 500;
/** Clock ticks of `/proc` a second: fixed by the kernel's interface. */
const TICKS = 100;
const PAGE_BYTES = 4096;

/** A running child of a backend. */
export interface BackendProcess {
  readonly backend: string;
  readonly pid: number;
}

export interface ProcessGaugeOptions {
  readonly telemetry: Telemetry;
  /** Main processes of stdio backends, read at each collection. */
  readonly children: () => Iterable<BackendProcess>;
}

/** Sets the gauges at every collection, and measures the lag of the event loop, until cancelled. */
export function collectProcessGauges({ telemetry, children }: ProcessGaugeOptions): Cancel {
  const startedAt = Date.now() / 1000 - process.uptime();
  telemetry.series("process_start_time_seconds", {}).set(startedAt);
  telemetry.series("sentinel_build_info", { version: VERSION, ...runtime() }).set(1);
  const stopCollecting = telemetry.onCollect(() => {
    setOwn(telemetry);
    setChildren(telemetry, children());
  });
  const stopLag = measureLag(telemetry);
  return () => {
    stopCollecting();
    stopLag();
  };
}

/** Name and version of what runs the gateway. */
export function runtime(): { readonly runtime: string; readonly runtime_version: string } {
  const { bun, deno, node } = process.versions as Readonly<Record<string, string | undefined>>;
  if (bun !== undefined) return { runtime: "bun", runtime_version: bun };
  if (deno !== undefined) return { runtime: "deno", runtime_version: deno };
  return { runtime: "node", runtime_version: node ?? "" };
}

function setOwn(telemetry: Telemetry): void {
  const { user, system } = process.cpuUsage();
  telemetry.series("process_cpu_seconds_total", {}).set((user + system) / 1_000_000);
  telemetry.series("process_resident_memory_bytes", {}).set(process.memoryUsage().rss);
  const open = openDescriptors();
  if (open === undefined) telemetry.drop({}, "process_open_fds");
  else telemetry.series("process_open_fds", {}).set(open);
}

function setChildren(telemetry: Telemetry, children: Iterable<BackendProcess>): void {
  telemetry.drop({}, "sentinel_backend_process_resident_memory_bytes");
  telemetry.drop({}, "sentinel_backend_process_cpu_seconds_total");
  for (const { backend, pid } of children) {
    const usage = usageOf(pid);
    if (usage === undefined) continue;
    const labels = { sentinel_backend: backend };
    telemetry.series("sentinel_backend_process_resident_memory_bytes", labels).set(usage.bytes);
    telemetry.series("sentinel_backend_process_cpu_seconds_total", labels).set(usage.seconds);
  }
}

/** Undefined where there is no `/proc`. */
function openDescriptors(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return undefined;
  }
}

/** Undefined where there is no `/proc`, or the process is gone. */
function usageOf(pid: number): { readonly bytes: number; readonly seconds: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name before the last bracket may contain anything (proc(5)): counted from there.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
    const [user = 0, system = 0] = fields.slice(11, 13);
    return { bytes: (fields[21] ?? 0) * PAGE_BYTES, seconds: (user + system) / TICKS };
  } catch {
    return undefined;
  }
}

/** A timer that fires late has waited for whatever else the process did. */
function measureLag(telemetry: Telemetry): Cancel {
  const lag = telemetry.series("sentinel_event_loop_lag_seconds", {});
  let due = performance.now() + LAG_INTERVAL_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    lag.observe(Math.max(0, now - due) / 1000);
    due = now + LAG_INTERVAL_MS;
  }, LAG_INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}
