/** What goes to Redis and comes back from it. Nothing that comes back is believed. */
import type { SharedEntry, SharedTaken } from "../../ports/replicas.ts";

/** Of a stamp, which stands before the value. */
const STAMP = 28;

/** How an entry stands in the table. */
export function writtenValue({ stamp, value }: SharedEntry): string {
  return `${stamp} ${value}`;
}

/** How an entry is told. */
export function messageOf(entry: SharedEntry): string {
  return JSON.stringify([entry.key, writtenValue(entry)]);
}

/** Undefined for what is none. */
export function spokenEntry(message: string): SharedEntry | undefined {
  try {
    const told = JSON.parse(message) as unknown;
    if (!Array.isArray(told) || !told.every((part) => typeof part === "string")) return undefined;
    const [key, written] = told as readonly (string | undefined)[];
    return key === undefined || written === undefined ? undefined : entryOf(key, written);
  } catch {
    return undefined;
  }
}

/** @throws Error for an answer in another form */
export function entriesOf(answer: unknown): SharedEntry[] {
  if (!Array.isArray(answer)) throw unreadable();
  const entries: SharedEntry[] = [];
  for (let at = 0; at + 1 < answer.length; at += 2) {
    entries.push(entryOf(String(answer[at]), String(answer[at + 1])));
  }
  return entries;
}

/** @throws Error for an answer in another form */
export function takenOf(answer: unknown): SharedTaken {
  if (!Array.isArray(answer)) throw unreadable();
  const [allowed, retryAfterMs, remaining, used] = answer.map(Number);
  if (![allowed, retryAfterMs, remaining, used].every(Number.isFinite)) throw unreadable();
  return {
    allowed: allowed === 1,
    retryAfterMs: retryAfterMs as number,
    remaining: remaining as number,
    used: used as number,
  };
}

function entryOf(key: string, written: string): SharedEntry {
  return { key, stamp: written.slice(0, STAMP), value: written.slice(STAMP + 1) };
}

function unreadable(): Error {
  return new Error("it gave an answer that cannot be read");
}
