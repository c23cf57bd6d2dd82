/** Fields that `redact` covers: a value without what lies at these paths. */
import { parseFieldPath } from "../../contract/rules.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";
import { compilePatterns, type Matcher } from "../patterns.ts";
import { rawNumber } from "./raw_json.ts";

/** What is left of a path. */
interface Rest {
  /** The next name; undefined for `**`. */
  readonly matches: Matcher | undefined;
  /** Undefined at the last name. */
  readonly next: Rest | undefined;
}

/** Rests of the paths that lead to a member; `COVERED` when one ends there. */
type Below = ReadonlySet<Rest> | typeof COVERED;

const COVERED = Symbol("covered");

/** Gives the value with `cover` in place of the fields, or the same value when it has none of them. */
export type Redact = (value: unknown, cover: string) => unknown;

/** Paths are relative to the value; lists are passed through, so a path names members only. */
export function compileFields(fields: readonly string[]): Redact {
  const paths = new Set(fields.map(restOf));
  return (value, cover) => redacted(value, paths, cover);
}

function restOf(field: string): Rest {
  const names = parseFieldPath(field);
  const rest = names?.reduceRight<Rest | undefined>((next, name) => ({
    matches: name === "**" ? undefined : compilePatterns([name]),
    next,
  }), undefined);
  if (rest === undefined) throw new TypeError(`"${field}" is no path`);
  return rest;
}

function redacted(value: unknown, paths: ReadonlySet<Rest>, cover: string): unknown {
  if (Array.isArray(value)) return redactedList(value, paths, cover);
  if (!isObject(value) || rawNumber(value) !== undefined) return value;
  let changed = false;
  const entries = Object.entries(value).map(([name, member]) => {
    const below = belowOf(paths, name);
    const seen = below === COVERED
      ? cover
      : below.size === 0
      ? member
      : redacted(member, below, cover);
    changed ||= seen !== member;
    return [name, seen] as const;
  });
  return changed ? Object.fromEntries(entries) as JsonObject : value;
}

function redactedList(list: readonly unknown[], paths: ReadonlySet<Rest>, cover: string): unknown {
  const seen = list.map((item) => redacted(item, paths, cover));
  return seen.some((item, index) => item !== list[index]) ? seen : list;
}

function belowOf(paths: ReadonlySet<Rest>, name: string): Below {
  const below = new Set<Rest>();
  for (const path of paths) {
    if (addBelow(below, path, name)) return COVERED;
  }
  return below;
}

/** True when the path ends at the member. */
function addBelow(below: Set<Rest>, path: Rest, name: string): boolean {
  const { matches, next } = path;
  if (matches === undefined) {
    if (next === undefined) return true;
    below.add(path);
    // Any depth is also none: what comes after ** may begin here.
    return addBelow(below, next, name);
  }
  if (!matches(name)) return false;
  if (next === undefined) return true;
  below.add(next);
  return false;
}
