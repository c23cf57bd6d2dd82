/** Strings with units as they stand in `sentinel.toml`: durations, sizes, rates. */
import * as v from "valibot";

const DURATION_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_BYTES = { B: 1, kB: 1000, MB: 1_000_000, KiB: 1024, MiB: 1_048_576, GiB: 1_073_741_824 } as const;

/** `"30s"` → 30000 (milliseconds). Units: ms, s, m, h, d. */
export const duration = v.pipe(
  v.string("expected a duration such as \"30s\""),
  v.regex(/^\d+(ms|s|m|h|d)$/, "expected a duration such as \"30s\": units ms, s, m, h, d"),
  v.transform((text) => {
    const [, amount = "0", unit = "ms"] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? [];
    return Number(amount) * DURATION_MS[unit as keyof typeof DURATION_MS];
  }),
);

/** `"4MiB"` → 4194304 (bytes). Units: B, kB, MB, KiB, MiB, GiB. */
export const size = v.pipe(
  v.string("expected a size such as \"4MiB\""),
  v.regex(/^\d+(B|kB|MB|KiB|MiB|GiB)$/, "expected a size such as \"4MiB\": units B, kB, MB, KiB, MiB, GiB"),
  v.transform((text) => {
    const [, amount = "0", unit = "B"] = /^(\d+)([A-Za-z]+)$/.exec(text) ?? [];
    return Number(amount) * SIZE_BYTES[unit as keyof typeof SIZE_BYTES];
  }),
);
