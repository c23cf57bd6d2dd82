/** `settle`: runs once per call on every outcome, before the answer leaves. */
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Series, Telemetry } from "../../ports/telemetry.ts";
import type { Call, Outcome } from "./call.ts";

export interface SettlePorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
}

/** Prepares everything that does not depend on the call, once. */
export function createSettle(
  { clock, log, telemetry }: SettlePorts,
): (call: Call, outcome: Outcome) => void {
  const inFlight = telemetry.series("sentinel_requests_in_flight", {});
  const durations = new Map<string, Series>();
  const duration = (method: string, outcome: string): Series => {
    const key = `${method} ${outcome}`;
    const known = durations.get(key);
    if (known !== undefined) return known;
    const series = telemetry.series("mcp_server_operation_duration_seconds", {
      mcp_method_name: method,
      sentinel_outcome: outcome,
    });
    durations.set(key, series);
    return series;
  };
  return (call, outcome) => {
    const { session } = call;
    session.inFlight--;
    if (session.calls.get(call.id) === call) session.calls.delete(call.id);
    inFlight.add(-1);
    const ms = clock.monotonic() - call.startedAt;
    const name = outcomeName(outcome);
    duration(call.method, name).observe(ms / 1000);
    log.write("call.finished", fields(call, outcome, name, ms));
    if (outcome.kind === "refused" && outcome.error.code === "INTERNAL") {
      log.write("call.defect", { request_id: call.request, cause: describe(outcome.error.cause) });
    }
  };
}

function fields(call: Call, outcome: Outcome, name: string, ms: number): Record<string, unknown> {
  return {
    request_id: call.request,
    mcp_method_name: call.method,
    tool: call.target?.exposed,
    backend: call.target?.backend,
    outcome: name,
    duration_ms: Math.round(ms * 1000) / 1000,
    ...(outcome.kind === "refused"
      ? { error: outcome.error.code, message: outcome.error.message }
      : {}),
  };
}

function outcomeName(outcome: Outcome): string {
  if (outcome.kind === "result") return "ok";
  if (outcome.kind === "accepted") return "cancelled";
  if (outcome.kind === "remote") return "upstream_error";
  const { code } = outcome.error;
  if (code === "BACKEND_TIMEOUT") return "timeout";
  if (code === "CIRCUIT_OPEN") return "circuit_open";
  if (code.startsWith("BACKEND_")) return "upstream_error";
  return code === "OVERLOADED" ? "overload" : "invalid";
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.stack ?? cause.message : String(cause);
}
