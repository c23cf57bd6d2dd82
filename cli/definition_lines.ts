/** What is known of a definition, as lines for people. */
import { type DefinitionChange, type Finding, FINDINGS } from "../src/contract/definitions.ts";
import type { Capability } from "../src/contract/manage/mod.ts";
import { columns } from "./output.ts";

type Row = readonly [string, string];

/** Each kind once. */
export function kindsOf(findings: readonly Finding[]): string[] {
  return [...new Set(findings.map(({ kind }) => kind))];
}

/** The definition that is trusted, since when and by whom. */
export function pinLines({ pin }: Pick<Capability, "pin">): readonly Row[] {
  if (pin === undefined) return [];
  const { approvedBy, approvedAt, firstSeen } = pin;
  const trust = approvedBy === undefined
    ? `as it came; first seen ${firstSeen}`
    : `approved by ${approvedBy} at ${approvedAt ?? "–"}`;
  return [["trusted", trust], ["sha256", pin.hash]];
}

/** Why it is held, and how it differs from what is trusted. */
export function heldLines({ held }: Pick<Capability, "held">): string[] {
  if (held === undefined) return [];
  const { reason, since, hash, changes, more } = held;
  const none = changes.length === 0 ? ["  what it was before is not kept"] : [];
  return [
    "",
    `held since ${since}: ${reason}`,
    ...changes.flatMap(changeLines),
    ...(more === undefined ? none : [`  and ${more} more`]),
    `  waits: ${hash}`,
  ];
}

/** What is suspicious, with what that means. */
export function findingLines({ findings }: Pick<Capability, "findings">): string[] {
  if (findings.length === 0) return [];
  const rows = findings.map(({ kind, path }) => [path, FINDINGS[kind]] as const);
  return ["", "suspicious", ...columns(rows)];
}

function changeLines({ path, change, before, after }: DefinitionChange): string[] {
  return [
    `  ${change} ${path}`,
    ...(before === undefined ? [] : [`    - ${before}`]),
    ...(after === undefined ? [] : [`    + ${after}`]),
  ];
}
