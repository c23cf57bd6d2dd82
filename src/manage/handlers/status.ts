/** Health, state, metrics, and the table itself. */
import { SentinelError } from "../../contract/mod.ts";
import type { Context, Handlers } from "../handler.ts";

export function statusHandlers(
  { control, facts, metrics }: Context,
): Pick<Handlers, "health" | "live" | "ready" | "status" | "metrics" | "openapi"> {
  // Made when it is first asked for: what makes it is loaded by nobody else.
  let document: Promise<Record<string, unknown>> | undefined;
  return {
    health: () => ({ state: control.state, name: control.name, revision: control.revision }),
    live: () => ({ status: "alive", state: control.state }),
    ready: () => control.readiness(),
    status: ({ act }) => {
      const endpoint = facts.endpoint();
      return {
        ...control.status(),
        version: facts.version,
        runtime: facts.runtime,
        ...(facts.pid === undefined ? {} : { pid: facts.pid }),
        ...(endpoint === undefined ? {} : { endpoint }),
        you: act.actor,
      };
    },
    metrics: ({ header }) => {
      if (metrics === undefined) throw metricsDisabled();
      return metrics(header("accept"));
    },
    openapi: () => document ??= makeDocument(facts.version),
  };
}

async function makeDocument(version: string): Promise<Record<string, unknown>> {
  const { openapiDocument } = await import("../openapi.ts");
  return { ...openapiDocument(version) };
}

function metricsDisabled(): SentinelError {
  return new SentinelError("NOT_FOUND", "Metrics are not served", {
    reason: "telemetry.metrics.prometheus is false",
  });
}
