/** Metrics of the process itself and of the processes it started, the same on every runtime. */
import process from "node:process";
import type { Cancel } from "../ports/clock.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { ChildGauges } from "./process/child_gauges.ts";
import { descriptorsOf } from "./process/process_table.ts";
import type { BackendProcess } from "./process/spawn.ts";
import { VERSION } from "./version.ts";

/** Between two looks at how late timers fire. */
const LAG_INTERVAL_MS = 500;

export interface ProcessGaugeOptions {
  readonly telemetry: Telemetry;
  /** Processes of stdio backends that lead a group, read at each collection. */
  readonly children: () => Iterable<BackendProcess>;
}

/** Sets the gauges at every collection, and measures the lag of the event loop, until cancelled. */
export function collectProcessGauges({ telemetry, children }: ProcessGaugeOptions): Cancel {
  const startedAt = Date.now() / 1000 - process.uptime();
  telemetry.series("process_start_time_seconds", {}).set(startedAt);
  telemetry.series("sentinel_build_info", { version: VERSION, ...runtime() }).set(1);
  const gauges = new ChildGauges(telemetry);
  const stopCollecting = telemetry.onCollect(() => {
    setOwn(telemetry);
    gauges.collect(children());
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
  const open = descriptorsOf("self");
  if (open === undefined) telemetry.drop({}, "process_open_fds");
  else telemetry.series("process_open_fds", {}).set(open);
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
