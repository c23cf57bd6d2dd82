/**
 * Every bound of the gateway, one row for each. Those of the configuration are named by their key, the others
 * by the constant that holds them, so that the page always shows the number in force.
 */
import type { MetricName } from "../../../src/contract/metrics.ts";

/** What the number of a constant counts; `""` where the words of the row say it. */
export type Unit = "ms" | "bytes" | "characters" | "";

export interface More {
  /** Where it shows. */
  readonly metric?: MetricName;
  /** Promise or test it belongs to. */
  readonly proof?: string;
}

/** What is bounded, and what happens beyond: an error of the table, or words. */
export type KeyRow = readonly [what: string, beyond: string, more?: More];
export type FixedRow = readonly [what: string, unit: Unit, beyond: string, more?: More];

export interface Area {
  readonly title: string;
  /** By key of the configuration; `*` stands for any name. */
  readonly keys: Readonly<Record<string, KeyRow>>;
  /** By file below `src`, then by constant. */
  readonly fixed: Readonly<Record<string, Readonly<Record<string, FixedRow>>>>;
}
