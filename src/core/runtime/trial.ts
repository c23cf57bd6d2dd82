/** A reload that may still be taken back, and what speaks for that. */
import type { Config } from "../../contract/mod.ts";
import type { Backend } from "../backends/backend.ts";
import type { BackendPlan } from "./backend_plan.ts";
import type { Loaded } from "./reloader.ts";

type Backends = ReadonlyMap<string, Backend>;

/** What was in force. */
export interface Before {
  readonly config: Config;
  readonly backends: Backends;
  readonly loaded: Loaded;
}

export interface Trial {
  readonly before: Before;
  /** They run on while this can be taken back. */
  readonly replaced: readonly Backend[];
  /** Backends that took a change as they are, by name. */
  readonly adjusted: readonly string[];
  /** Backends that were touched, and answered before. */
  readonly watched: readonly string[];
  /** Some backend answered before. */
  readonly wasUp: boolean;
}

/**
 * Looks at what is in force before a reload; once that is done the trial is made of what it replaced. Undefined
 * when no backend was touched: what fails then fails for another reason.
 */
export function trialOf(
  before: Before,
  { starts, stops, reconnects, adjusts }: BackendPlan,
): (replaced: readonly Backend[]) => Trial | undefined {
  const wasUp = [...before.backends.values()].some(({ up }) => up);
  const watched = [...reconnects, ...adjusts].filter((name) => before.backends.get(name)?.up);
  const isTouched = [starts, stops, reconnects, adjusts].some((names) => names.length > 0);
  return (replaced) =>
    isTouched ? { before, replaced, adjusted: adjusts, watched, wasUp } : undefined;
}

/** What answered before and does not now. */
export function failing({ watched, wasUp }: Trial, backends: Backends): readonly Backend[] {
  const enabled = [...backends.values()].filter(({ config }) => config.enabled);
  const down = enabled.filter(({ up }) => !up);
  if (wasUp && down.length === enabled.length) return down;
  return down.filter(({ name }) => watched.includes(name));
}

/** One line for operators. */
export function problemOf(backend: Backend): string {
  const { state, lastError } = backend.status(0);
  return `backend "${backend.name}" is ${state}${lastError === undefined ? "" : `: ${lastError}`}`;
}
