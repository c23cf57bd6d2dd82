import { addedTimes, backendAlone, sibling, times } from "./compare.ts";
import type { Slice } from "./load.ts";
import type { RuntimeName } from "./options.ts";
import type { Polled } from "./polled.ts";
import type { StartUp } from "./startup.ts";
import { pairedRatio } from "./stats.ts";
import type { Level, Row } from "./throughput.ts";
import { atLeast, atMost, labelOf, type Verdict } from "./verdict.ts";

/** HTTP to HTTP: not much dearer than a proxy that knows nothing. */
export function httpGoals(levels: readonly Level[]): Verdict[] {
  return levels.flatMap((level) => gatewayRows(level).flatMap((row) => goalsOfRow(level, row)));
}

function goalsOfRow(level: Level, row: Row): Verdict[] {
  const target = labelOf(row.plan);
  const bare = sibling(level, row, "bare");
  if (level.inFlight === 1) {
    const got = addedTimes(row, bare, backendAlone(level));
    return [atMost(1.5, { goal: "added p50 ÷ bare proxy, 1 in flight", target, got })];
  }
  const at = `÷ bare proxy, ${level.inFlight} in flight`;
  return [
    atMost(1.2, { goal: `CPU ${at}`, target, got: times(row, bare, "cpuMicros") }),
    atLeast(0.8, { goal: `req/s ${at}`, target, got: times(row, bare, "rate") }),
  ];
}

/** HTTP to stdio: several times what the SDK does in the obvious way. */
export function stdioGoals(levels: readonly Level[]): Verdict[] {
  return levels.filter(({ inFlight }) => inFlight > 1).flatMap((level) =>
    gatewayRows(level).map((row) => {
      const got = times(row, sibling(level, row, "sdk"), "rate");
      const goal = `stdio req/s ÷ naive SDK proxy, ${level.inFlight} in flight`;
      return atLeast(4, { goal, target: labelOf(row.plan), got });
    })
  );
}

const LISTENING_MS: Record<RuntimeName, number> = { node: 100, bun: 30, deno: 50 };

/** The bundle listens soon after a trivial server of its runtime would. */
export function startUpGoals(startUps: readonly StartUp[]): Verdict[] {
  return startUps.filter(({ role }) => role === "bundle").flatMap(({ runtime, listeningMs }) => {
    const target = labelOf({ role: "bundle", runtime });
    const trivial = startUps.find((one) => one.runtime === runtime && one.role === "trivial");
    const ratio = listeningMs / (trivial?.listeningMs ?? Number.NaN);
    return [
      atMost(1.5, { goal: "listening ÷ trivial server", target, got: ratio }),
      atMost(LISTENING_MS[runtime], { goal: "listening ms", target, got: listeningMs }),
    ];
  });
}

/** Looking at a gateway hardly slows it. */
export function polledGoals(measured: readonly Polled[]): Verdict[] {
  return measured.flatMap(({ runtime, alone, polled }) => {
    const target = labelOf({ role: "gateway", runtime });
    const cpu = pairedRatio(polled.map(cpuOf), alone.map(cpuOf));
    const rate = pairedRatio(alone.map(rateOf), polled.map(rateOf));
    return [
      atMost(1.05, { goal: "CPU per call, polled ÷ alone", target, got: cpu }),
      atMost(1.05, { goal: "req/s, alone ÷ polled", target, got: rate }),
    ];
  });
}

const cpuOf = (slice: Slice) => slice.cpuMicros;
const rateOf = (slice: Slice) => slice.rate;

function gatewayRows(level: Level): readonly Row[] {
  return level.rows.filter(({ plan }) => plan.role === "gateway" || plan.role === "bundle");
}
