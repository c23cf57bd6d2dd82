/** A session as stores keep it: what is read back is believed only in this form. */
import * as v from "valibot";
import type { SessionId } from "./ids.ts";

/** Characters of one record: what a client declares of itself is bounded by the largest request. */
const MAX_RECORD = 4 * 1024 * 1024;

const text = v.pipe(v.string(), v.maxLength(100_000));
const time = v.pipe(v.number(), v.finite(), v.minValue(0));

const Record = v.object({
  id: v.pipe(text, v.transform((id) => id as SessionId)),
  ref: text,
  front: v.picklist(["streamable_http", "http_sse"]),
  toolset: v.exactOptional(text),
  principal: text,
  revision: text,
  capabilities: v.pipe(
    v.record(v.string(), v.unknown()),
    v.check((value) => !Array.isArray(value)),
  ),
  client: v.exactOptional(text),
  initialized: v.boolean(),
  logLevel: v.exactOptional(text),
  subscriptions: v.array(v.object({ backend: text, uri: text })),
  openedAt: time,
  seenAt: time,
  holder: v.exactOptional(text),
});

/** Undefined for a text that is no record. What a newer version has added is left out. */
export function sessionRecordOf(text: unknown): v.InferOutput<typeof Record> | undefined {
  if (typeof text !== "string" || text.length > MAX_RECORD) return undefined;
  try {
    const { success, output } = v.safeParse(Record, JSON.parse(text));
    return success ? output : undefined;
  } catch {
    return undefined;
  }
}

const Requests = v.array(v.string());

/** The ids of requests, as JSON texts; undefined for a text that is no list of texts. */
export function requestIdsOf(text: unknown): readonly string[] | undefined {
  if (typeof text !== "string" || text.length > MAX_RECORD) return undefined;
  try {
    const { success, output } = v.safeParse(Requests, JSON.parse(text));
    return success ? output : undefined;
  } catch {
    return undefined;
  }
}
