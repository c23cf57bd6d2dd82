/** `settle`: runs once per call on every outcome, before the answer leaves. */
import type { CallRecord } from "../../contract/manage/mod.ts";
import type { SentinelError } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { shownPrincipal } from "../auth/principal.ts";
import type { CallEnd } from "../audit/call_row.ts";
import type { CallFeed } from "../runtime/call_feed.ts";
import type { RollingTraffic } from "../runtime/traffic.ts";
import type { Call, Outcome } from "./call.ts";
import { endingOf } from "./ending.ts";
import { STEPS } from "./methods.ts";
import { CallMetrics } from "./metrics.ts";

/** Methods whose calls are recorded: those that can reach a backend. The others read what the gateway has. */
const RECORDED: ReadonlySet<string> = new Set(
  [...STEPS].filter(([, steps]) => steps.includes("intent")).map(([method]) => method),
);

export interface SettleOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
  /** Calls of the whole gateway. */
  readonly traffic: RollingTraffic;
  readonly feed: CallFeed;
}

/** Prepares everything that does not depend on the call, once. */
export function createSettle(
  { clock, log, telemetry, traffic, feed }: SettleOptions,
): (call: Call, outcome: Outcome) => Outcome | Promise<Outcome> {
  const metrics = new CallMetrics(telemetry);
  const count = (call: Call, outcome: Outcome): Outcome => {
    const { caller: { load, calls }, target } = call;
    load.inFlight--;
    if (calls?.get(call.id) === call) calls.delete(call.id);
    const now = clock.monotonic();
    const ms = now - call.startedAt;
    const ending = endingOf(call, outcome);
    call.trace?.end(call, ending);
    metrics.record(call, outcome, { ending, ms });
    traffic.record(now, ms, ending.failed);
    if (target !== undefined) {
      call.world.backends.get(target.backend)?.traffic.record(now, ms, ending.failed);
    }
    const end: CallEnd = { outcome, ending, ms };
    if (feed.isWatched) feed.publish(record(call, end, clock.now()));
    log.write("call.finished", fields(call, end));
    if (outcome.kind === "refused" && outcome.error.code === "INTERNAL") {
      log.write("call.defect", { request_id: call.request, cause: describe(outcome.error.cause) });
    }
    return outcome;
  };
  return (call, outcome) => {
    if (!RECORDED.has(call.method)) return count(call, outcome);
    const end = {
      outcome,
      ending: endingOf(call, outcome),
      ms: clock.monotonic() - call.startedAt,
    };
    const told = call.world.recorder.settled(call, end);
    return told instanceof Promise ? told.then((later) => count(call, later)) : count(call, told);
  };
}

/** What was between client and backend; nothing where both speak the same. */
function bridged({ link, bridge, rounds }: Call) {
  return {
    ...(link === undefined ? {} : { backendProtocol: link.revision }),
    ...(bridge === undefined ? {} : { bridge }),
    ...(rounds === 0 ? {} : { rounds }),
  };
}

function fields(call: Call, { outcome, ending, ms }: CallEnd): Record<string, unknown> {
  const error = errorOf(outcome);
  return {
    request_id: call.request,
    trace_id: call.trace?.id,
    span_id: call.trace?.spanId,
    mcp_method_name: call.method,
    tool: call.target?.exposed,
    backend: call.target?.backend,
    outcome: ending.outcome,
    bridge: call.bridge,
    rounds: call.rounds === 0 ? undefined : call.rounds,
    ...shownPrincipal(call.caller.principal),
    duration_ms: rounded(ms),
    ...(error === undefined ? {} : { error: error.code, message: error.message }),
  };
}

function record(call: Call, { outcome, ending, ms }: CallEnd, now: number): CallRecord {
  const { caller, target } = call;
  const error = errorOf(outcome);
  return {
    request: call.request,
    at: new Date(now).toISOString(),
    method: call.method,
    ...(target === undefined ? {} : { name: target.exposed, backend: target.backend }),
    outcome: ending.outcome,
    ...(error === undefined ? {} : { error: error.code }),
    durationMs: rounded(ms),
    ...shownPrincipal(caller.principal),
    ...(caller.ref === undefined ? {} : { session: caller.ref }),
    transport: caller.front,
    era: caller.era,
    protocol: caller.revision,
    ...bridged(call),
  };
}

/** What of the table ended the call, however it was told. */
function errorOf(outcome: Outcome): SentinelError | undefined {
  if (outcome.kind === "refused") return outcome.error;
  return outcome.kind === "result" ? outcome.rejected : undefined;
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.stack ?? cause.message : String(cause);
}
