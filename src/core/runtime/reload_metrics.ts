import type { Clock } from "../../ports/clock.ts";
import type { Telemetry } from "../../ports/telemetry.ts";

/** How a reload ended, in the words of the metric. */
export type ReloadResult = "applied" | "unchanged" | "rejected" | "rolled_back";

/** Counts reloads; the start counts as the first good reading. */
export function createReloadCount(
  telemetry: Telemetry,
  clock: Clock,
): (result: ReloadResult) => void {
  const successful = telemetry.series("sentinel_config_last_reload_successful", {});
  const at = telemetry.series("sentinel_config_last_reload_success_timestamp_seconds", {});
  const accepted = () => {
    successful.set(1);
    at.set(clock.now() / 1000);
  };
  accepted();
  return (result) => {
    telemetry.series("sentinel_config_reloads_total", { result }).add(1);
    if (result === "rejected" || result === "rolled_back") successful.set(0);
    else accepted();
  };
}
