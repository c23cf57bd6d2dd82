import { ROLE_NAMES, type TargetPlan } from "./targets.ts";

/** One goal held against one target. */
export interface Verdict {
  readonly goal: string;
  readonly target: string;
  readonly got: number;
  readonly met: boolean;
}

interface Measured {
  readonly goal: string;
  readonly target: string;
  readonly got: number;
}

/** Not met by NaN, which is what was not measured. */
export function atMost(limit: number, { goal, target, got }: Measured): Verdict {
  return { goal: `${goal} ≤ ${limit}`, target, got, met: got <= limit };
}

/** Not met by NaN, which is what was not measured. */
export function atLeast(limit: number, { goal, target, got }: Measured): Verdict {
  return { goal: `${goal} ≥ ${limit}`, target, got, met: got >= limit };
}

/** How verdicts name a target. */
export function labelOf({ role, runtime }: Pick<TargetPlan, "role" | "runtime">): string {
  return `${ROLE_NAMES[role]}, ${runtime}`;
}
