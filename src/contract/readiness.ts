/** What load balancers and orchestrators are told: whether the gateway runs, and whether to send it calls. */
import * as v from "valibot";
import { list, oneOf, text } from "./describe.ts";
import { RuntimeStateSchema } from "./status.ts";

export const LivenessSchema = v.object({
  status: oneOf(["alive"], "It answers, so it runs."),
  state: RuntimeStateSchema,
});

export const ReadinessSchema = v.object({
  status: oneOf(["ready", "unready"], "`unready` is answered with status 503."),
  state: RuntimeStateSchema,
  reasons: list(
    text("Names of states, without names of backends and without messages."),
    "What keeps calls away, or soon will.",
  ),
});
export type Readiness = v.InferOutput<typeof ReadinessSchema>;

/** When a probe should look again. */
export const READINESS_RETRY_MS = 1000;
