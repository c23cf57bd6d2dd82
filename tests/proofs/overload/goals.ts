/** What the proof of overload reports, and what of it should be better. */
import type { PhaseFigures } from "./figures.ts";

export interface OverloadReport {
  /** The search for the peak, at rising load. */
  readonly ramp: readonly PhaseFigures[];
  /** Load at which the goodput was best, and that goodput, per second. */
  readonly peak: { readonly offered: number; readonly goodput: number };
  readonly before: PhaseFigures;
  readonly overload: PhaseFigures;
  readonly after: PhaseFigures;
  /** What was sent, as a multiple of the load of the peak: less than five where the load itself is the limit. */
  readonly times: number;
  /** Goodput of the overload ÷ goodput of the peak. */
  readonly share: number;
  /** 99th percentiles during the overload, milliseconds. */
  readonly managementMs: number;
  readonly healthMs: number;
  /** Milliseconds from the end of the overload until all was as before. */
  readonly recoveryMs: number;
  /** Resident memory before, and the most of it since, MB. */
  readonly memory: { readonly before: number; readonly most: number };
  readonly calls: number;
  /** What does not hold whatever the machine. */
  readonly problems: readonly string[];
  /** Goals that were missed. */
  readonly missed: readonly string[];
}

/** What was measured, before it is judged. */
type Figures = Omit<OverloadReport, "problems" | "missed">;

/** How much of the load of the peak it is asked for. */
export const TIMES = 5;
/** trust.md P17. */
const GOALS = { share: 0.8, refusedMs: 20, managementMs: 200, recoveryMs: 5000, growthMb: 256 };
/** The load is no longer the wanted one below this share of it. */
const SENT_SHARE = 0.95;

/** Beyond this share of the time that the gateway is kept from its core, figures say what the machine does. */
const WAITED = 0.1;

/** Goals that were missed, a line each. */
export function missedOf(figures: Figures): string[] {
  const { overload: { refusedMs }, memory, share, times } = figures;
  const growthMb = memory.most - memory.before;
  const sent = times < TIMES * SENT_SHARE
    ? [`the load was ${times.toFixed(2)} times that of the peak, wanted ${TIMES}`]
    : [];
  const waited = figures.overload.waited["gateway"] ?? 0;
  const isVoid = waited > WAITED
    ? [`void: the gateway was kept from its core for ${waited} of the time`]
    : [];
  return [
    ...isVoid,
    ...sent,
    ...(share < GOALS.share ? [`goodput ÷ peak: ${share.toFixed(2)}, goal ≥ ${GOALS.share}`] : []),
    ...over("refusals, p99 ms", refusedMs, GOALS.refusedMs),
    ...over("management, p99 ms", figures.managementMs, GOALS.managementMs),
    ...over("recovery, ms", figures.recoveryMs, GOALS.recoveryMs),
    ...over("growth of memory, MB", growthMb, GOALS.growthMb),
  ];
}

function over(what: string, value: number, goal: number): string[] {
  return value > goal ? [`${what}: ${value.toFixed(1)}, goal ≤ ${goal}`] : [];
}
