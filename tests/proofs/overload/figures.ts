/** What ledger C and the onlookers say about each phase of an overload. */
import { percentile } from "../../../bench/stats.ts";
import type { RowC } from "../../support/faults/ledgers.ts";
import type { Look, Onlookers, Page } from "./onlookers.ts";
import type { OpenRun, PhaseSent } from "./open_load.ts";

/** Rates per second, times in milliseconds, each the 99th percentile. */
export interface PhaseFigures {
  readonly name: string;
  /** Calls that became due. */
  readonly offered: number;
  /** Calls that got onto a connection. */
  readonly sent: number;
  /** Right answers that came within the phase, once it had settled. */
  readonly goodput: number;
  /** Of the calls that became due, the share that was answered, sooner or later. */
  readonly served: number;
  /** Refusals, by their names. */
  readonly refused: Readonly<Record<string, number>>;
  readonly answeredMs: number;
  readonly refusedMs: number;
  /** How late the load itself was. */
  readonly lateMs: number;
  /** Share of the time that each main thread ran. */
  readonly ran: Readonly<Record<string, number>>;
  /** Share of the time that it was ready to run, and others ran. */
  readonly waited: Readonly<Record<string, number>>;
}

/** Refusals that overload may give, and nothing else. */
export function isRefusal({ outcome, name = "" }: RowC): boolean {
  return outcome === "error" && ["OVERLOADED", "RATE_LIMITED"].includes(name);
}

/** Share of a phase in which first answers are on their way, and queues fill. */
const SETTLING = 0.2;

export function figuresOf(phase: PhaseSent, rows: readonly RowC[]): PhaseFigures {
  const { name, from, to, due, unsent, lateMs, cpu } = phase;
  const seconds = (to - from) / 1000;
  const own = rows.filter(({ at }) => at >= from && at < to);
  const refusals = own.filter(isRefusal);
  const answered = own.filter(({ outcome }) => outcome === "answered");
  const settled = from + SETTLING * (to - from);
  const within = rows.filter(({ outcome, at, ms }) =>
    outcome === "answered" && at + ms >= settled && at + ms < to
  );
  const share = (what: "ran" | "waited") =>
    Object.fromEntries(
      Object.entries(cpu).map(([of, time]) => [of, rounded(time[what] / (to - from))]),
    );
  return {
    name,
    offered: Math.round(due / seconds),
    sent: Math.round((due - unsent) / seconds),
    goodput: Math.round(within.length / (to - settled) * 1000),
    served: rounded(answered.length / due),
    refused: Object.fromEntries(
      [...Map.groupBy(refusals, ({ name: code, status }) => `${code} ${status}`)]
        .map(([code, found]) => [code, Math.round(found.length / seconds)]),
    ),
    answeredMs: rounded(p99(answered.map(({ ms }) => ms))),
    refusedMs: rounded(p99(refusals.map(({ ms }) => ms))),
    lateMs: rounded(lateMs),
    ran: share("ran"),
    waited: share("waited"),
  };
}

const WINDOW_MS = 500;
/** Times the usual p99, beyond which a window is not as usual; and what is too little to matter. */
const USUAL = 2;
const LITTLE_MS = 10;

/**
 * Milliseconds from the beginning of `phase` until the calls that are sent are answered as usual for good: all of
 * them, with a p99 that is.
 */
export function recoveryOf(phase: PhaseSent, rows: readonly RowC[], usualMs: number): number {
  const limit = Math.max(USUAL * usualMs, usualMs + LITTLE_MS);
  let recovered = 0;
  for (let from = phase.from; from < phase.to; from += WINDOW_MS) {
    const sent = rows.filter(({ at }) => at >= from && at < from + WINDOW_MS);
    const isUsual = sent.every(({ outcome }) => outcome === "answered") &&
      !(p99(sent.map(({ ms }) => ms)) > limit);
    if (!isUsual) recovered = from + WINDOW_MS - phase.from;
  }
  return recovered;
}

/** Looks that were asked for within a phase. */
export function looksIn(
  { startedAt }: OpenRun,
  { from, to }: PhaseSent,
  { looks }: Onlookers,
  page: Page,
): readonly Look[] {
  return looks.filter((look) =>
    look.page === page && look.at >= startedAt + from && look.at < startedAt + to
  );
}

export function p99(values: readonly number[]): number {
  return percentile(values.toSorted((a, b) => a - b), 0.99);
}

function rounded(value: number): number {
  return Math.round(100 * value) / 100;
}
