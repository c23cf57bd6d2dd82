import { Load, type LoadOptions, type Slice } from "./load.ts";
import type { Options } from "./options.ts";
import type { Pinning } from "./pinning.ts";
import { type Running, start } from "./process.ts";
import type { TargetPlan } from "./targets.ts";
import type { Work } from "./work.ts";

const WARM_UP_IN_FLIGHT = 32;
/** Times that each loop calls a tool of fixed duration in one slice, at least. */
const CALLS_OF_LOOP = 10;

/** What all targets are asked for. */
export type Asked = Required<Omit<LoadOptions, "era">>;

/** All slices of one target at one level, in the order of the rounds. */
export interface Row {
  readonly plan: TargetPlan;
  readonly slices: readonly Slice[];
}

/** The rows of one table. */
export interface Level {
  readonly work: Work;
  readonly inFlight: number;
  readonly rows: readonly Row[];
}

/** A target under way, and what was asked of it so far. */
export interface Live {
  readonly plan: TargetPlan;
  readonly running: Running;
  readonly loads: Load[];
}

/** Starts all targets, and stops them when `use` has ended. */
export async function withTargets<T>(
  plans: readonly TargetPlan[],
  pinning: Pinning,
  use: (started: readonly Live[]) => Promise<T>,
): Promise<T> {
  const started: Live[] = [];
  try {
    for (const plan of plans) {
      started.push({ plan, running: await start(pinning.onTargetCore(plan.command)), loads: [] });
    }
    return await use(started);
  } finally {
    await Promise.all(started.map(({ running }) => running.stop()));
  }
}

/**
 * Warms all targets up, then measures them in turn, round after round, so that what else the machine does falls
 * on all of them alike.
 */
export async function measureLevels(
  targets: readonly Live[],
  asked: readonly Asked[],
  options: Options,
): Promise<Level[]> {
  for (const target of targets) await warmUp(target, asked[0]?.headers ?? "", options.warmUpMs);
  const levels: Level[] = [];
  for (const load of asked) {
    levels.push({ ...load, rows: await measureLevel(targets, load, options) });
  }
  return levels;
}

// Node's compiler needs some ten thousand calls before the cost of one settles.
async function warmUp(target: Live, headers: string, durationMs: number): Promise<void> {
  const load = await openLoad(target, { inFlight: WARM_UP_IN_FLIGHT, headers });
  await load.run(durationMs);
}

async function measureLevel(
  targets: readonly Live[],
  asked: Asked,
  { rounds, sliceMs, leadMs }: Options,
): Promise<Row[]> {
  const rows: { plan: TargetPlan; load: Load; slices: Slice[] }[] = [];
  for (const target of targets) {
    rows.push({ plan: target.plan, load: await openLoad(target, asked), slices: [] });
  }
  const ms = Math.max(sliceMs, asked.work.tool === "sleep" ? asked.work.ms * CALLS_OF_LOOP : 0);
  for (let round = 0; round < rounds; round++) {
    for (const { load, slices } of rows) slices.push(await load.run(ms, leadMs));
  }
  return rows;
}

async function openLoad({ plan, running, loads }: Live, options: LoadOptions): Promise<Load> {
  const load = await Load.open(running, { ...options, era: plan.era ?? "legacy" });
  loads.push(load);
  return load;
}
