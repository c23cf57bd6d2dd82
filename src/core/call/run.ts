import { asSentinelError } from "../../contract/mod.ts";
import type { Call, Outcome, Stage } from "./call.ts";

const ACCEPTED: Outcome = { kind: "accepted" };

/**
 * Runs the stages in order and awaits only real promises: a stage that has nothing to wait for costs no
 * turn of the event loop. Whatever happens, the result is an outcome.
 */
export async function run(call: Call, stages: readonly Stage[]): Promise<Outcome> {
  try {
    for (const stage of stages) {
      const step = stage(call);
      const outcome = step instanceof Promise ? await step : step;
      const end = endedFromOutside(call);
      if (end !== undefined) return end;
      if (outcome !== undefined) return outcome;
    }
    throw new Error(`No stage answered "${call.method}"`);
  } catch (cause) {
    return endedFromOutside(call) ?? { kind: "refused", error: asSentinelError(cause) };
  }
}

/** What the gateway ended, its client is told; what the client cancelled, it is not. */
function endedFromOutside({ failure, cancelled }: Call): Outcome | undefined {
  if (failure !== undefined) return { kind: "refused", error: failure };
  return cancelled === undefined ? undefined : ACCEPTED;
}
