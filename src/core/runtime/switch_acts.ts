/** What operators last did to a kill switch: how it is ordered between replicas, kept and told. */
import * as v from "valibot";
import type { KillSwitch } from "../../contract/manage/mod.ts";
import type { SharedEntry } from "../../ports/replicas.ts";

export type KillScope = KillSwitch["scope"];

/** A switch without what depends on the catalog. */
export type SetSwitch = Omit<KillSwitch, "matches">;

/** The last act on one switch. */
export interface SwitchAct {
  /** Scope and name. */
  readonly key: string;
  /** Of two acts on one switch the one with the greater stamp holds. */
  readonly stamp: string;
  /** Who did it. */
  readonly by: string;
  /** Undefined: it was cleared. */
  readonly set: SetSwitch | undefined;
}

/** Longest name of a tool or pattern that can be switched off. */
const MAX_PATTERN = 200;
/** The year 5138: beyond every clock, and a millisecond more still has 15 digits. */
const MAX_TIME = 99_999_999_999_999;
const NOBODY = "0".repeat(12);
const STAMP = /^0\d{14}-[0-9a-f]{12}$/;
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;

const text = v.pipe(v.string(), v.maxLength(1000));
const stamp = v.pipe(v.string(), v.regex(STAMP));

const Value = v.union([
  v.object({ reason: text, by: text, since: v.pipe(text, v.isoTimestamp()) }),
  v.object({ cleared: v.literal(true), by: text }),
]);

const Stored = v.union([
  v.object({ reason: v.string(), by: v.string(), since: v.string(), stamp: v.optional(stamp) }),
  v.object({ cleared: v.literal(true), by: v.string(), stamp }),
]);

/**
 * Later than what is known of the same switch, whatever the clocks say: an operator answers to what they see.
 * @param now wall time, milliseconds
 * @param instance 12 hexadecimal digits of this run
 */
export function nextStamp(now: number, instance = NOBODY, known?: SwitchAct): string {
  const after = known === undefined ? 0 : timeOf(known.stamp) + 1;
  const time = Math.min(Math.max(now, after, 0), MAX_TIME);
  return `${String(Math.floor(time)).padStart(15, "0")}-${instance}`;
}

/** Wall time of a stamp, milliseconds. */
export function timeOf(stamp: string): number {
  return Number(stamp.slice(0, 15));
}

/** The run that acted. */
export function instanceOf(stamp: string): string {
  return stamp.slice(16);
}

export function keyOf(scope: KillScope, name: string): string {
  return `${scope}/${name}`;
}

export function targetOf(key: string): { readonly scope: KillScope; readonly name: string } {
  const slash = key.indexOf("/");
  return { scope: key.slice(0, slash) as KillScope, name: key.slice(slash + 1) };
}

/** Why no tool can have the name; undefined when one can. */
export function problemOfName(name: string): string | undefined {
  return name.length > MAX_PATTERN || CONTROL.test(name)
    ? `at most ${MAX_PATTERN} characters, no control characters`
    : undefined;
}

/** As the state store keeps it. */
export function storedOf({ stamp, by, set }: SwitchAct): unknown {
  return set === undefined
    ? { cleared: true, by, stamp }
    : { reason: set.reason, by: set.by, since: set.since, stamp };
}

/** @throws Error for what no version has stored */
export function actOfStored(key: string, value: unknown): SwitchAct {
  const stored = v.parse(Stored, value);
  if ("cleared" in stored) return { key, stamp: stored.stamp, by: stored.by, set: undefined };
  const { reason, by, since } = stored;
  // Those of before there were replicas have no stamp.
  const stamp = stored.stamp ?? nextStamp(Date.parse(since) || 0);
  return { key, stamp, by, set: { ...targetOf(key), reason, by, since, from: "operator" } };
}

/** As it is told to replicas. */
export function entryOf({ key, stamp, by, set }: SwitchAct): SharedEntry {
  const value = set === undefined
    ? { cleared: true, by }
    : { reason: set.reason, by: set.by, since: set.since };
  return { key, stamp, value: JSON.stringify(value) };
}

/** Undefined for what no replica has written. */
export function actOfEntry({ key, stamp, value }: SharedEntry): SwitchAct | undefined {
  const { scope, name } = targetOf(key);
  if (scope !== "tools" && scope !== "backends") return undefined;
  if (name === "" || problemOfName(name) !== undefined || !STAMP.test(stamp)) return undefined;
  const { success, output } = v.safeParse(Value, parsed(value));
  if (!success) return undefined;
  if ("cleared" in output) return { key, stamp, by: output.by, set: undefined };
  const { reason, by, since } = output;
  return { key, stamp, by, set: { scope, name, reason, by, since, from: "operator" } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
