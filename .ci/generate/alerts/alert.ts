import type { Vector } from "../promql.ts";

/** How soon somebody should look: now, today, when there is time. */
export type Severity = "critical" | "warning" | "info";

export interface Alert {
  readonly expression: string;
  /** How long it has to hold; default: not at all. */
  readonly holds?: string;
  readonly severity: Severity;
  /** One line, with what it is about. */
  readonly summary: string;
  /** What it means and what it does to callers. */
  readonly description: string;
}

/** Puts the value of a label into a text; only of those that the expression has. */
type Put<Label extends string> = (label: Label) => string;

interface AlertOptions<Label extends string> extends Omit<Alert, "expression" | "summary"> {
  readonly when: Vector<Label>;
  readonly summary: (put: Put<Label>) => string;
}

export function alert<Label extends string>(
  { when, summary, ...rest }: AlertOptions<Label>,
): Alert {
  return { expression: when.text, summary: summary((name) => `{{ $labels.${name} }}`), ...rest };
}
