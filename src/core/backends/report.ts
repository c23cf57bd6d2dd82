import type { EventName, SentinelError } from "../../contract/mod.ts";
import type { ChildExit } from "../../ports/process.ts";
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

/** Whose changes are reported. */
export interface ReportSubject {
  readonly name: string;
  /** It takes the place of a running one, whose configuration changed. */
  readonly isReplacement: boolean;
  /** How its last process ended. */
  readonly lastExit: () => ChildExit | undefined;
}

/** Writes each change of a backend's state to log and metrics. */
export function createReport(
  { name, isReplacement, lastExit }: ReportSubject,
  { log, telemetry }: BackendPorts,
): (status: SupervisorStatus) => void {
  const restarts = (reason: Reason) =>
    telemetry.series("sentinel_backend_restarts_total", { sentinel_backend: name, reason });
  for (const reason of REASONS) restarts(reason);
  if (isReplacement) restarts("config").add(1);
  let counted = 0;
  return (status) => {
    const { state, lastError, nextRetryAt } = status;
    if (status.restarts > counted) restarts(reasonOf(status, lastExit())).add(1);
    counted = status.restarts;
    const event = EVENTS[state];
    if (event === undefined) return;
    const failed = state === "backoff" || state === "fatal";
    log.write(event, {
      backend: name,
      ...(failed
        ? { reason: lastError?.message, detail: lastError?.details.reason ?? defect(lastError) }
        : {}),
      ...(nextRetryAt === undefined ? {} : { next_retry: new Date(nextRetryAt).toISOString() }),
    });
  };
}

const REASONS = ["exit", "signal", "unresponsive", "memory", "lost", "manual", "config"] as const;
type Reason = (typeof REASONS)[number];

/** What made a new connection necessary. */
function reasonOf({ manual, lastError }: SupervisorStatus, exit: ChildExit | undefined): Reason {
  if (manual) return "manual";
  if (lastError?.code === "BACKEND_TIMEOUT") return "unresponsive";
  if (lastError?.code !== "BACKEND_LOST") return "lost";
  if (exit?.exceeded !== undefined) return exit.exceeded.limit;
  if (exit?.signal !== undefined) return "signal";
  return exit?.code === undefined ? "lost" : "exit";
}

/** A failure that is no condition of the table is a defect of ours: its origin belongs in the log. */
function defect(error: SentinelError | undefined): string | undefined {
  return error?.code === "INTERNAL" ? String(error.cause) : undefined;
}
