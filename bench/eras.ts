/** What it costs that a call crosses the eras of the protocol. */
import { sibling, times } from "./compare.ts";
import type { Configs } from "./configs.ts";
import type { Options } from "./options.ts";
import type { Pinning } from "./pinning.ts";
import { start } from "./process.ts";
import { PROGRAMS, run } from "./runtimes.ts";
import { type Era, eraTargets, type Pair } from "./targets.ts";
import { type Level, type Live, measureLevels, type Row, withTargets } from "./throughput.ts";
import { atMost, labelOf, type Verdict } from "./verdict.ts";
import { ECHO } from "./work.ts";

/** Each pair that crosses, and the one of its clients that does not. */
const CROSSING: readonly (readonly [Pair, Pair])[] = [
  ["legacy-modern", "legacy-legacy"],
  ["modern-legacy", "modern-modern"],
];

interface Setting {
  readonly options: Options;
  readonly pinning: Pinning;
  readonly configs: Configs;
  /** The legacy HTTP backend, already running. */
  readonly backend: Live;
}

/** Measures all pairs of eras on all runtimes side by side. */
export async function measureEras(
  { options, pinning, configs, backend }: Setting,
): Promise<Level[]> {
  const command = run("bun", PROGRAMS.echo, "--modern");
  const modern = await start(pinning.onLoadCore(command));
  try {
    const paths: Record<Era, string> = {
      legacy: configs.era("legacy", backend.running.url),
      modern: configs.era("modern", modern.url),
    };
    const plans = options.runtimes.flatMap((runtime) => eraTargets(runtime, paths));
    const loads = options.inFlight.map((inFlight) => ({ inFlight, work: ECHO, headers: "" }));
    return await withTargets(
      plans,
      pinning,
      (started) => measureLevels(started, loads, options),
    );
  } finally {
    await modern.stop();
  }
}

/** A call that crosses costs little more than one that does not. */
export function eraGoals(levels: readonly Level[]): Verdict[] {
  return levels.filter(({ inFlight }) => inFlight > 1).flatMap((level) =>
    CROSSING.flatMap(([crossing, same]) =>
      level.rows.filter(({ plan }) => plan.role === crossing)
        .map((row) => verdict(level, row, same))
    )
  );
}

function verdict(level: Level, row: Row, same: Pair): Verdict {
  const got = times(row, sibling(level, row, same), "cpuMicros");
  const goal = `CPU ÷ same clients within their era, ${level.inFlight} in flight`;
  return atMost(1.25, { goal, target: labelOf(row.plan), got });
}
