/** The series of the gateways, backends and tools that somebody has chosen. */
import { type Scope, Series } from "../promql.ts";

const CHOSEN: Scope = {
  target: ['job=~"$job"', 'instance=~"$instance"'],
  labels: { sentinel_backend: '=~"$backend"', gen_ai_tool_name: '=~"$tool"' },
  window: "$__rate_interval",
};

/** For panels. */
export const series = new Series(CHOSEN);

/** For variables: what may be chosen does not depend on what is. */
export const choices = new Series({ ...CHOSEN, target: ['job=~"$job"'], labels: {} });
export const jobs = new Series({ ...CHOSEN, target: [], labels: {} });
