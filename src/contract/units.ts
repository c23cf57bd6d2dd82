/** Strings with units as they stand in `sentinel.toml`: durations, sizes, rates. */
import * as v from "valibot";

const DURATION_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_BYTES = {
  B: 1,
  kB: 1000,
  MB: 1_000_000,
  KiB: 1024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
} as const;
const RATE_MS = { s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const DURATION = /^(\d{1,15})(ms|s|m|h|d)$/;
const SIZE = /^(\d{1,15})(B|kB|MB|KiB|MiB|GiB)$/;
const RATE = /^(\d{1,9})\/(s|min|h|d)$/;

/** Timers of the runtimes hold 2^31 - 1 milliseconds and fire at once beyond. */
const LONGEST_TIMER_MS = 24 * DURATION_MS.d;
/** Longest text a runtime can hold is just above. */
const LARGEST_BUFFER = 512 * SIZE_BYTES.MiB;

/** So many in so long a time. */
export interface Rate {
  readonly count: number;
  readonly perMs: number;
}

/** Which spelling a number of the parsed configuration has in the file. */
export type Unit = "duration" | "size" | "rate" | "date";

/** `"30s"` → 30000, or undefined when it is no duration. */
export function parseDuration(text: string): number | undefined {
  return amountOf(DURATION.exec(text), DURATION_MS);
}

/** `"4MiB"` → 4194304, or undefined when it is no size. */
export function parseSize(text: string): number | undefined {
  return amountOf(SIZE.exec(text), SIZE_BYTES);
}

/** Milliseconds in the largest unit that carries them exactly: 60000 → `"1m"`. */
export function formatDuration(ms: number): string {
  return inLargestUnit(ms, ["d", "h", "m", "s", "ms"], DURATION_MS);
}

/** Bytes in the largest unit that carries them exactly: 4194304 → `"4MiB"`. */
export function formatSize(bytes: number): string {
  return inLargestUnit(bytes, ["GiB", "MiB", "KiB", "MB", "kB", "B"], SIZE_BYTES);
}

/** `{ count: 60, perMs: 60000 }` → `"60/min"`. */
export function formatRate(rate: Rate): string {
  const unit = Object.entries(RATE_MS).find(([, ms]) => ms === rate.perMs)?.[0] ?? "s";
  return `${rate.count}/${unit}`;
}

function amountOf<Units extends Readonly<Record<string, number>>>(
  match: RegExpExecArray | null,
  units: Units,
): number | undefined {
  const [, amount, unit] = match ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  return Number(amount) * (units[unit] ?? 0);
}

function inLargestUnit<Name extends string>(
  amount: number,
  names: readonly Name[],
  units: Readonly<Record<Name, number>>,
): string {
  const fits = (name: Name): boolean => amount !== 0 && amount % units[name] === 0;
  const name = names.find(fits) ?? names.at(-1) as Name;
  return `${amount / units[name]}${name}`;
}

/** Duration without the bound of timers (retention); milliseconds. Units: ms, s, m, h, d. */
export const period = v.pipe(
  v.string(),
  v.metadata({ noun: "duration", unit: "duration" }),
  v.regex(DURATION, 'write a number and one of the units ms, s, m, h, d, such as "30s"'),
  v.transform((text) => parseDuration(text) ?? 0),
);

/** `"30s"` → 30000 (milliseconds), zero allowed. Units: ms, s, m, h, d; at most 24 days. */
export const grace = v.pipe(period, v.maxValue(LONGEST_TIMER_MS, "use at most 24d"));

/** Like `grace`, but more than zero. */
export const duration = v.pipe(grace, v.minValue(1, "use more than zero"));

/** `"512MiB"` → bytes, more than zero, as large as one likes. Units: B, kB, MB, KiB, MiB, GiB. */
export const memory = v.pipe(
  v.string(),
  v.metadata({ noun: "size", unit: "size" }),
  v.regex(SIZE, 'write a number and one of the units B, kB, MB, KiB, MiB, GiB, such as "4MiB"'),
  v.transform((text) => parseSize(text) ?? 0),
  v.minValue(1, "use more than zero"),
);

/** `"4MiB"` → 4194304 (bytes): size of a buffer, from 1KiB to 512MiB. */
export const size = v.pipe(
  memory,
  v.minValue(SIZE_BYTES.KiB, "use at least 1KiB"),
  v.maxValue(LARGEST_BUFFER, "use at most 512MiB"),
);

/** `"60/min"` → `{ count: 60, perMs: 60000 }`. Units: s, min, h, d. */
export const rate = v.pipe(
  v.string(),
  v.metadata({ noun: "rate", unit: "rate" }),
  v.regex(RATE, 'write a number per s, min, h or d, such as "60/min"'),
  v.transform((text): Rate => {
    const [, count, unit] = RATE.exec(text) ?? [];
    return { count: Number(count), perMs: RATE_MS[unit as keyof typeof RATE_MS] };
  }),
  v.check((parsed) => parsed.count > 0, "use more than zero; [kill] switches a tool off"),
);
