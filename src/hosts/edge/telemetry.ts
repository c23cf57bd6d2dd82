import type { Series, Telemetry } from "../../ports/telemetry.ts";

const NO_SERIES: Series = { add: () => {}, set: () => {}, observe: () => {} };

/** Nobody can read the metrics of an isolate; its log and the audit tell what it did. */
export const noTelemetry: Telemetry = {
  series: () => NO_SERIES,
  drop: () => {},
  onCollect: () => () => {},
};
