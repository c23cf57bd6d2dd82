/** Page of every bound: what it bounds, its number, where it is set, what happens beyond it. */
import { explainKey } from "../../src/config/explain.ts";
import { ERRORS } from "../../src/contract/mod.ts";
import { AREAS } from "../../tests/arch/bounds/areas.ts";
import type { Area, FixedRow, KeyRow, More, Unit } from "../../tests/arch/bounds/table.ts";
import { numbersIn } from "../../tests/arch/constants.ts";
import { readSource } from "../../tests/arch/source_files.ts";
import { code, page, table } from "./markdown.ts";

const HEAD = ["what", "at most", "set by", "beyond it", "metric", "proof"];

export function limitsPage(): string {
  return page(
    "Limits",
    "Everything the gateway keeps, waits for or works out has a bound. Those with a key can be set " +
      "in the [configuration](config.md); the others are fixed. What happens beyond a bound is an " +
      "[error](errors.md), or said in words; where it shows is a [metric](metrics.md). The last " +
      "column names the promise or the test of the reliability plan it belongs to.",
    ...AREAS.flatMap(({ title, ...area }) => [`## ${title}`, table(HEAD, rowsOf(area))]),
  );
}

function rowsOf({ keys, fixed }: Omit<Area, "title">): string[][] {
  const settable = Object.entries(keys).map(([key, row]) => keyRow(key, row));
  const constants = Object.entries(fixed).flatMap(([file, rows]) => {
    const numbers = numbersIn(file, readSource(`src/${file}`));
    return Object.entries(rows).map(([name, row]) => fixedRow(row, numbers.get(name)));
  });
  return [...settable, ...constants];
}

function keyRow(key: string, [what, beyond, more]: KeyRow): string[] {
  const found = explainKey(key);
  if (found === undefined) throw new Error(`Cannot find the key "${key}"`);
  const most = found.default === undefined ? "none" : code(found.default);
  return [what, most, code(key), beyondOf(beyond), ...moreOf(more)];
}

function fixedRow([what, unit, beyond, more]: FixedRow, value: number | undefined): string[] {
  if (value === undefined) throw new Error(`Cannot find the number of "${what}"`);
  return [what, numberOf(value, unit), "fixed", beyondOf(beyond), ...moreOf(more)];
}

function beyondOf(beyond: string): string {
  return beyond in ERRORS ? `[${code(beyond)}](errors.md#${beyond.toLowerCase()})` : beyond;
}

function moreOf({ metric, proof = "" }: More = {}): string[] {
  return [metric === undefined ? "" : code(metric), proof];
}

function numberOf(value: number, unit: Unit): string {
  if (unit === "ms") return durationOf(value);
  if (unit === "bytes") return sizeOf(value);
  const digits = value.toLocaleString("en");
  return unit === "" ? digits : `${digits} ${unit}`;
}

const DURATIONS = [[86_400_000, "days"], [3_600_000, "h"], [60_000, "min"], [1000, "s"]] as const;
const SIZES = [[1024 * 1024, "MiB"], [1024, "KiB"]] as const;

function durationOf(ms: number): string {
  const [size, unit] = DURATIONS.find(([size]) => ms >= size && ms % size === 0) ?? [1, "ms"];
  return `${ms / size} ${unit}`;
}

function sizeOf(bytes: number): string {
  const [size, unit] = SIZES.find(([size]) => bytes >= size && bytes % size === 0) ?? [1, "bytes"];
  return `${(bytes / size).toLocaleString("en")} ${unit}`;
}
