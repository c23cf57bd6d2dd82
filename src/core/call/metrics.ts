/** Metrics of calls. Series are bound to what a call leads to, so a call looks no label up. */
import { type ErrorName } from "../../contract/mod.ts";
import { type DenialReason, METRICS, OTHER } from "../../contract/metrics.ts";
import type { Series, Telemetry } from "../../ports/telemetry.ts";
import type { Target } from "../catalog/types.ts";
import { networkTransport } from "../session/network_transport.ts";
import type { Session } from "../session/session.ts";
import type { Call, Outcome } from "./call.ts";
import { denialOf, type Ending } from "./ending.ts";
import { STEPS } from "./methods.ts";

/** A kind of call, and its series. */
interface Bound {
  readonly method: string;
  readonly front: Session["front"];
  readonly revision: string;
  readonly ending: Ending;
  readonly duration: Series;
  readonly overhead: Series;
  readonly denials: Series | undefined;
  readonly resultSize: Series | undefined;
}

export class CallMetrics {
  readonly #telemetry: Telemetry;
  /** Few for each target: a method, some clients' revisions, the ways it ended. */
  readonly #targets = new WeakMap<Target, Bound[]>();
  readonly #withoutTarget: Bound[] = [];

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
  }

  /** Records a call that took `ms` altogether. */
  record(call: Call, outcome: Outcome, { ending, ms }: { ending: Ending; ms: number }): void {
    const bound = this.#find(call, ending);
    const trace = call.trace?.exemplar;
    bound.duration.observe(ms / 1000, call.request, trace);
    bound.overhead.observe(Math.max(0, ms - call.backendMs) / 1000, call.request, trace);
    bound.denials?.add(1);
    if (outcome.kind === "result" && outcome.rejected === undefined) {
      bound.resultSize?.observe(outcome.result.length);
    }
  }

  #find(call: Call, ending: Ending): Bound {
    const { method, target, caller } = call;
    const candidates = target === undefined ? this.#withoutTarget : this.#boundTo(target);
    const known = STEPS.has(method) ? method : OTHER;
    for (const bound of candidates) {
      if (
        bound.ending === ending && bound.method === known &&
        bound.revision === caller.revision && bound.front === caller.front
      ) return bound;
    }
    const bound = this.#bind(call, known, ending);
    candidates.push(bound);
    return bound;
  }

  #boundTo(target: Target): Bound[] {
    const known = this.#targets.get(target) ?? [];
    this.#targets.set(target, known);
    return known;
  }

  #bind({ target, caller }: Call, method: string, ending: Ending): Bound {
    const telemetry = this.#telemetry;
    const place = {
      sentinel_backend: target?.backend ?? "",
      gen_ai_tool_name: tool(target, method),
    };
    const { front, revision } = caller;
    return {
      method,
      front,
      revision,
      ending,
      duration: telemetry.series("mcp_server_operation_duration_seconds", {
        ...place,
        mcp_method_name: method,
        error_type: ending.errorType,
        rpc_response_status_code: ending.status,
        network_transport: networkTransport(front),
        mcp_protocol_version: revision,
        sentinel_outcome: ending.outcome,
      }),
      overhead: telemetry.series("sentinel_gateway_overhead_seconds", { mcp_method_name: method }),
      denials: ending.denial &&
        telemetry.series("sentinel_denials_total", { ...place, reason: ending.denial }),
      resultSize: target !== undefined && method === "tools/call"
        ? telemetry.series("sentinel_tool_result_bytes", { sentinel_backend: target.backend })
        : undefined,
    };
  }
}

/** Only names of the catalog: a caller must not make series. */
function tool(target: Target | undefined, method: string): string {
  if (target?.kind === "tool") return target.exposed;
  return target === undefined && method === "tools/call" ? OTHER : "";
}

/** Counts what fronts turn away before there is a call; call it with each refusal. */
export function createRefusalCount(telemetry: Telemetry): (error: ErrorName) => void {
  const count = (reason: DenialReason, refusals: number) => {
    const labels = { reason, sentinel_backend: "", gen_ai_tool_name: "" };
    telemetry.series("sentinel_denials_total", labels).add(refusals);
  };
  // A rate needs a zero to start from.
  for (const reason of METRICS.sentinel_denials_total.values.reason) count(reason, 0);
  return (error) => {
    const reason = denialOf(error);
    if (reason !== undefined) count(reason, 1);
  };
}
