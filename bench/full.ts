/** What a call costs with everything on that a team runs: the figures to quote. */
import { mistakeOf, readLedger } from "./audit_ledger.ts";
import type { Configs } from "./configs.ts";
import { type Access, gatewayName, grantAccess, writeFullConfigs } from "./full_configs.ts";
import type { Options } from "./options.ts";
import type { Pinning } from "./pinning.ts";
import { fullTargets, ROLE_NAMES } from "./targets.ts";
import { type Asked, type Level, type Live, measureLevels, withTargets } from "./throughput.ts";
import { ECHO, LARGE, QUICK, SLOW } from "./work.ts";

const IN_FLIGHT = 32;
const LARGE_IN_FLIGHT = 8;

interface Setting {
  readonly options: Options;
  readonly pinning: Pinning;
  readonly configs: Configs;
  /** The HTTP backend, already running. */
  readonly backend: Live;
}

export interface Full {
  readonly levels: readonly Level[];
  /** What the audits lack. */
  readonly mistakes: readonly string[];
}

/** Measures all runtimes side by side; every target gets the same bytes, the token included. */
export async function measureFull({ options, pinning, configs, backend }: Setting): Promise<Full> {
  const access = grantAccess();
  const { url } = backend.running;
  const plans = options.runtimes.flatMap((runtime) =>
    fullTargets(runtime, {
      backend: url,
      configs: writeFullConfigs(configs.folder, { runtime, backend: url }),
    })
  );
  return await withTargets(plans, pinning, async (started) => {
    const levels = await measureLevels([backend, ...started], loads(options, access), options);
    const mistakes: string[] = [];
    for (const live of started) mistakes.push(...await auditMistakes(live, access, configs));
    return { levels, mistakes };
  });
}

function loads({ inFlight }: Options, { token }: Access): Asked[] {
  const headers = `authorization: Bearer ${token}\r\n`;
  return [
    ...inFlight.map((calls) => ({ work: ECHO, inFlight: calls, headers })),
    { work: LARGE, inFlight: LARGE_IN_FLIGHT, headers },
    { work: SLOW, inFlight: IN_FLIGHT, headers },
    { work: QUICK, inFlight: IN_FLIGHT, headers },
  ];
}

async function auditMistakes(
  { plan: { role, runtime }, running, loads }: Live,
  { operator }: Access,
  { state }: Configs,
): Promise<string[]> {
  if (role !== "full") return [];
  const { management } = running;
  const ledger = await readLedger({
    management,
    operator,
    state,
    name: gatewayName(role, runtime),
  });
  const calls = loads.reduce((sum, load) => sum + load.calls, 0);
  const mistake = mistakeOf(ledger, calls);
  return mistake === undefined ? [] : [`${ROLE_NAMES[role]}, ${runtime}: ${mistake}`];
}
