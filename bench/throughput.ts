import { Load, type Slice } from "./load.ts";
import type { Options } from "./options.ts";
import type { Pinning } from "./pinning.ts";
import { type Running, start } from "./process.ts";
import type { TargetPlan } from "./targets.ts";

const WARM_UP_IN_FLIGHT = 32;

/** All slices of one target at one number in flight, in the order of the rounds. */
export interface Row {
  readonly plan: TargetPlan;
  readonly slices: readonly Slice[];
}

/** The rows of one table. */
export interface Level {
  readonly inFlight: number;
  readonly rows: readonly Row[];
}

/** A target under way. */
export interface Live {
  readonly plan: TargetPlan;
  readonly running: Running;
}

/**
 * Starts all targets, then measures them in turn, round after round, so that what else the machine does
 * falls on all of them alike. Stops what it started.
 */
export async function measure(
  direct: Live,
  plans: readonly TargetPlan[],
  { options, pinning }: { options: Options; pinning: Pinning },
): Promise<Level[]> {
  const started: Live[] = [];
  try {
    for (const plan of plans) {
      started.push({ plan, running: await start(pinning.onTargetCore(plan.command)) });
    }
    const targets = [direct, ...started];
    for (const target of targets) await warmUp(target, options.warmUpMs);
    const levels: Level[] = [];
    for (const inFlight of options.inFlight) {
      levels.push({ inFlight, rows: await measureLevel(targets, inFlight, options) });
    }
    return levels;
  } finally {
    await Promise.all(started.map(({ running }) => running.stop()));
  }
}

// Node's compiler needs some ten thousand calls before the cost of one settles.
async function warmUp({ running }: Live, durationMs: number): Promise<void> {
  const load = await Load.open(running, WARM_UP_IN_FLIGHT);
  await load.run(durationMs);
}

async function measureLevel(
  targets: readonly Live[],
  inFlight: number,
  { rounds, sliceMs }: Options,
): Promise<Row[]> {
  const rows: { plan: TargetPlan; load: Load; slices: Slice[] }[] = [];
  for (const { plan, running } of targets) {
    rows.push({ plan, load: await Load.open(running, inFlight), slices: [] });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { load, slices } of rows) slices.push(await load.run(sliceMs));
  }
  return rows;
}
