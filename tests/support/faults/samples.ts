/** What a process and its children hold, and whether it grows. Linux only. */
import { family, listing, text } from "../../../bench/usage.ts";

export interface Sample {
  /** Seconds since the first sample, or whatever the caller counts from. */
  readonly at: number;
  /** Resident memory of the process itself, MB (10^6 bytes). */
  readonly rssMb: number;
  /** Descriptors it has open. */
  readonly descriptors: number;
  /** Its children, their children and so on; what only waits for its parent counts, too. */
  readonly children: number;
}

/** What has gone meanwhile counts nothing. */
export function sampleOf(pid: number, at: number): Sample {
  const resident = /VmRSS:\s+(\d+)/.exec(text(`/proc/${pid}/status`))?.[1] ?? 0;
  return {
    at,
    rssMb: Number(resident) * 1024 / 1e6,
    descriptors: listing(`/proc/${pid}/fd`).length,
    children: family(pid).length - 1,
  };
}

export interface Point {
  readonly at: number;
  readonly value: number;
}

export interface Slope {
  /** Growth per unit of `at`, by least squares; 0 for fewer than three points. */
  readonly growth: number;
  /** Standard error of it: what is below twice this may be chance. */
  readonly error: number;
}

export function slopeOf(points: readonly Point[]): Slope {
  const { length } = points;
  if (length < 3) return { growth: 0, error: Number.POSITIVE_INFINITY };
  const meanAt = points.reduce((sum, { at }) => sum + at, 0) / length;
  const mean = points.reduce((sum, { value }) => sum + value, 0) / length;
  let [along, squares] = [0, 0];
  for (const { at, value } of points) {
    along += (at - meanAt) * (value - mean);
    squares += (at - meanAt) ** 2;
  }
  const growth = along / squares;
  const rest = points.reduce(
    (sum, { at, value }) => sum + (value - mean - growth * (at - meanAt)) ** 2,
    0,
  );
  return { growth, error: Math.sqrt(rest / (length - 2) / squares) };
}

/** The lowest of each so many points in a row: what a collector leaves, not what it has yet to collect. */
export function floorOf(points: readonly Point[], window: number): Point[] {
  const lowest: Point[] = [];
  for (let from = 0; from < points.length; from += window) {
    const part = points.slice(from, from + window);
    lowest.push(part.reduce((least, point) => point.value < least.value ? point : least));
  }
  return lowest;
}
