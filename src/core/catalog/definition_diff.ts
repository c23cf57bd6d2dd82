/** How two definitions differ, for people: where, and a short text of before and after. */
import type { DefinitionChange } from "../../contract/definitions.ts";
import type { JsonObject } from "../mcp/json.ts";
import { canonicalJson } from "./definition_hash.ts";
import { itemPath, memberPath } from "./json_path.ts";
import { isRecord } from "./members.ts";
import { printable } from "./refusals.ts";

const MAX_CHANGES = 20;
const MAX_TEXT = 120;
/** What is shown of the text before the first difference. */
const LEAD = 24;

export interface DefinitionDiff {
  readonly changes: readonly DefinitionChange[];
  /** Differences beyond `changes`. */
  readonly more: number;
}

/** The order of members is no difference; the order of items is one. */
export function definitionDiff(before: JsonObject, after: JsonObject): DefinitionDiff {
  const found: Found = { changes: [], more: 0 };
  compare("$", before, after, found);
  return found;
}

interface Found {
  readonly changes: DefinitionChange[];
  more: number;
}

function compare(path: string, before: unknown, after: unknown, found: Found): void {
  if (isRecord(before) && isRecord(after)) return compareMembers(path, before, after, found);
  if (Array.isArray(before) && Array.isArray(after)) {
    return compareItems(path, before, after, found);
  }
  const texts = [canonicalJson(before), canonicalJson(after)] as const;
  if (texts[0] === texts[1]) return;
  const start = Math.max(0, commonStart(...texts) - LEAD);
  add(found, {
    path,
    change: "changed",
    before: excerpt(texts[0], start),
    after: excerpt(texts[1], start),
  });
}

function compareMembers(path: string, before: JsonObject, after: JsonObject, found: Found): void {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  for (const key of [...keys].toSorted()) {
    const inner = memberPath(path, key);
    if (!Object.hasOwn(after, key)) removed(inner, before[key], found);
    else if (!Object.hasOwn(before, key)) added(inner, after[key], found);
    else compare(inner, before[key], after[key], found);
  }
}

function compareItems(
  path: string,
  before: readonly unknown[],
  after: readonly unknown[],
  found: Found,
): void {
  for (let index = 0; index < Math.max(before.length, after.length); index++) {
    const inner = itemPath(path, index);
    if (index >= after.length) removed(inner, before[index], found);
    else if (index >= before.length) added(inner, after[index], found);
    else compare(inner, before[index], after[index], found);
  }
}

function removed(path: string, value: unknown, found: Found): void {
  add(found, { path, change: "removed", before: excerpt(canonicalJson(value), 0) });
}

function added(path: string, value: unknown, found: Found): void {
  add(found, { path, change: "added", after: excerpt(canonicalJson(value), 0) });
}

function add(found: Found, change: DefinitionChange): void {
  if (found.changes.length < MAX_CHANGES) found.changes.push(change);
  else found.more++;
}

function commonStart(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  return at;
}

function excerpt(text: string, start: number): string {
  return printable(start === 0 ? text : `…${text.slice(start)}`, MAX_TEXT);
}
