interface RawJson {
  isRawJSON(value: unknown): boolean;
  rawJSON(source: string): unknown;
}

/** Newer than the compiler's library. */
const raw = JSON as unknown as RawJson;

/** Source of a number that was kept as it was written; undefined for everything else. */
export function rawNumber(value: unknown): string | undefined {
  return raw.isRawJSON(value) ? String((value as { rawJSON: string }).rawJSON) : undefined;
}

export function toRawNumber(source: string): unknown {
  return raw.rawJSON(source);
}
