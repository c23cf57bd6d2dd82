import type { EventName, SentinelError } from "../../contract/mod.ts";
import type { BackendPorts } from "./ports.ts";
import type { SupervisorState, SupervisorStatus } from "./supervisor.ts";

const EVENTS: Readonly<Record<SupervisorState, EventName | undefined>> = {
  starting: "backend.starting",
  ready: "backend.ready",
  backoff: "backend.failed",
  fatal: "backend.fatal",
  stopping: undefined,
  stopped: "backend.stopped",
};

/** Writes each change of a backend's state to log and metrics. */
export function createReport(
  backend: string,
  { log, telemetry }: BackendPorts,
): (status: SupervisorStatus) => void {
  const labels = { sentinel_backend: backend };
  const up = telemetry.series("sentinel_backend_up", labels);
  const restarts = telemetry.series("sentinel_backend_restarts_total", labels);
  return ({ state, lastError, nextRetryAt, restarts: count }) => {
    up.set(state === "ready" ? 1 : 0);
    restarts.set(count);
    const event = EVENTS[state];
    if (event === undefined) return;
    const failed = state === "backoff" || state === "fatal";
    log.write(event, {
      backend,
      ...(failed
        ? { reason: lastError?.message, detail: lastError?.details.reason ?? defect(lastError) }
        : {}),
      ...(nextRetryAt === undefined ? {} : { next_retry: new Date(nextRetryAt).toISOString() }),
    });
  };
}

/** A failure that is no condition of the table is a defect of ours: its origin belongs in the log. */
function defect(error: SentinelError | undefined): string | undefined {
  return error?.code === "INTERNAL" ? String(error.cause) : undefined;
}
