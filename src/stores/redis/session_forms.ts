/** Streams as they stand in Redis. Nothing that comes back is believed. */
import type { SessionId } from "../../contract/ids.ts";
import { requestIdsOf } from "../../contract/session_record.ts";
import type { StoredEvent } from "../../ports/event_store.ts";
import type { KeptStream, StreamFacts } from "../../ports/session_store.ts";

export function writtenFacts({ session, owner, requests }: StreamFacts): string {
  return JSON.stringify([session, owner, JSON.stringify(requests)]);
}

/** @param answer of HGETALL, in either protocol */
export function keptStreamOf(answer: unknown, after: number): KeptStream | undefined {
  const fields = fieldsOf(answer);
  const facts = factsOf(fields.get("facts"));
  if (facts === undefined) return undefined;
  return { ...facts, events: eventsAfter(fields, after), ended: fields.get("ended") === "1" };
}

export function textOrUndefined(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function fieldsOf(answer: unknown): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  if (Array.isArray(answer)) {
    for (let at = 0; at + 1 < answer.length; at += 2) {
      fields.set(String(answer[at]), String(answer[at + 1]));
    }
    return fields;
  }
  for (const [name, value] of answer instanceof Map ? answer : Object.entries(answer ?? {})) {
    fields.set(String(name), String(value));
  }
  return fields;
}

function factsOf(text: string | undefined): StreamFacts | undefined {
  const facts = parsed(text);
  if (!Array.isArray(facts)) return undefined;
  const [session, owner, written] = facts as readonly unknown[];
  const requests = requestIdsOf(written);
  if (typeof session !== "string" || typeof owner !== "string" || requests === undefined) {
    return undefined;
  }
  return { session: session as SessionId, owner, requests };
}

/** Undefined when some are gone: numbers without a gap, from the one asked for to the newest. */
function eventsAfter(
  fields: ReadonlyMap<string, string>,
  after: number,
): readonly StoredEvent[] | undefined {
  const numbers = [...fields.keys()].filter((name) => /^\d{1,15}$/.test(name)).map(Number)
    .toSorted((one, other) => one - other);
  const newest = numbers.at(-1);
  if (newest === undefined || newest < after) return undefined;
  const events: StoredEvent[] = [];
  for (let sequence = after + 1; sequence <= newest; sequence++) {
    const data = parsed(fields.get(String(sequence)));
    if (typeof data !== "string") return undefined;
    events.push({ sequence, data });
  }
  return events;
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
