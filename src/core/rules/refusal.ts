import { type Executed, SentinelError } from "../../contract/mod.ts";
import type { TargetFacts } from "./interceptor.ts";

const VERBS = { tool: "call", prompt: "get", resource: "read", template: "complete" } as const;

/** Who refused and why, as the caller is told. */
export interface Denial {
  /** Name of the rule or interceptor. */
  readonly by: string;
  readonly reason: string;
  readonly executed: Executed;
}

/** The refusal of a request for a target. */
export function refusalOf(
  code: "POLICY_DENIED" | "APPROVAL_REQUIRED",
  { kind, name, backend }: Pick<TargetFacts, "kind" | "name" | "backend">,
  { by, reason, executed }: Denial,
): SentinelError {
  const message = `Cannot ${VERBS[kind]} "${name.slice(0, 200)}": ${reason}`;
  return new SentinelError(code, message, { backend, reason, executed, more: { rule: by } });
}
