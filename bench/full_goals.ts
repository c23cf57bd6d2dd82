/** Goals of a gateway with everything on, some for each kind of work. */
import { addedTimes, backendAlone, sibling, times } from "./compare.ts";
import type { RuntimeName } from "./options.ts";
import type { Level, Row } from "./throughput.ts";
import { atLeast, atMost, labelOf, type Verdict } from "./verdict.ts";
import { ECHO, LARGE, QUICK, SLOW, workName } from "./work.ts";

const SDK_RATES: Record<RuntimeName, number> = { node: 10, bun: 4, deno: 3 };
const QUICK_P95: Record<RuntimeName, number> = { node: 1.06, bun: 1.05, deno: 1.08 };

/** Holds it to its bare proxy, to the SDK, to the backend alone, and to itself without audit. */
export function fullGoals(levels: readonly Level[]): Verdict[] {
  return levels.flatMap((level) =>
    level.rows.filter(({ plan }) => plan.role === "full").flatMap((row) => goalsOf(level, row))
  );
}

function goalsOf(level: Level, row: Row): Verdict[] {
  switch (level.work) {
    case ECHO:
      return level.inFlight === 1 ? [aloneGoal(level, row)] : echoGoals(level, row);
    case LARGE:
      return [largeGoal(level, row)];
    case SLOW:
      return [latencyGoal(level, row, 1.03)];
    case QUICK:
      return [latencyGoal(level, row, QUICK_P95[row.plan.runtime])];
    default:
      return [];
  }
}

function aloneGoal(level: Level, row: Row): Verdict {
  const got = addedTimes(row, sibling(level, row, "bare"), backendAlone(level));
  return atMost(1.5, {
    goal: "full: added p50 ÷ bare proxy, 1 in flight",
    target: labelOf(row.plan),
    got,
  });
}

function echoGoals(level: Level, row: Row): Verdict[] {
  const target = labelOf(row.plan);
  const bare = sibling(level, row, "bare");
  const to = (what: string) => `full: ${what}, ${level.inFlight} in flight`;
  const sdk = times(row, sibling(level, row, "sdk"), "rate");
  const unrecorded = times(row, sibling(level, row, "unrecorded"), "rate");
  return [
    atMost(1.5, { goal: to("CPU ÷ bare proxy"), target, got: times(row, bare, "cpuMicros") }),
    atLeast(0.65, { goal: to("req/s ÷ bare proxy"), target, got: times(row, bare, "rate") }),
    atMost(1.5, { goal: to("p95 ÷ bare proxy"), target, got: times(row, bare, "p95") }),
    atLeast(SDK_RATES[row.plan.runtime], { goal: to("req/s ÷ naive SDK proxy"), target, got: sdk }),
    atLeast(0.9, { goal: to("req/s ÷ without audit"), target, got: unrecorded }),
  ];
}

function largeGoal(level: Level, row: Row): Verdict {
  const goal = `full: CPU ÷ bare proxy, ${workName(level.work)}`;
  const got = times(row, sibling(level, row, "bare"), "cpuMicros");
  return atMost(1.3, { goal, target: labelOf(row.plan), got });
}

function latencyGoal(level: Level, row: Row, limit: number): Verdict {
  const goal = `full: p95 ÷ backend alone, ${workName(level.work)}`;
  const got = times(row, backendAlone(level), "p95");
  return atMost(limit, { goal, target: labelOf(row.plan), got });
}
