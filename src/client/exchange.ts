/** One HTTP exchange: out with the request, back comes a good answer or an error of ours. */
import * as v from "valibot";
import { readText } from "./body.ts";
import { type Call, reached } from "./call.ts";
import { MAX_REFUSAL, refusalOf } from "./refusal.ts";
import type { Watch } from "./watch.ts";

/** Until the whole answer is here, unless the caller says otherwise. */
export const DEFAULT_TIMEOUT_MS = 10_000;

const ACCEPT = {
  json: "application/json",
  text: "text/plain",
  events: "text/event-stream",
} as const;

/**
 * Sends it and returns the answer when its status is good.
 * @throws ManagementError for everything else; the reason of the watch's signal when that is aborted
 */
export async function exchange(call: Call, watch: Watch): Promise<Response> {
  const { target, row, address } = call;
  const work = target.fetch(target.base + address, {
    method: row.method,
    headers: headersOf(call),
    redirect: "manual",
    signal: watch.signal,
    ...(row.body === undefined ? {} : { body: JSON.stringify(call.body ?? {}) }),
  });
  const response = await reached(call, work, watch.signal);
  if (response.ok || await isUnready(call, response, watch.signal)) return response;
  throw await refusalOf(call, response, watch.signal);
}

/** Where the table has it, 503 is an answer: the gateway says that it is not ready. */
async function isUnready(call: Call, response: Response, signal: AbortSignal): Promise<boolean> {
  if (call.row.mayBeUnready !== true || response.status !== 503) return false;
  const copy = response.clone();
  const text = await readText({ call, response: copy, signal, limit: MAX_REFUSAL });
  try {
    return v.is(call.row.answer, JSON.parse(text));
  } catch {
    return false;
  }
}

function headersOf({ target, row, headers, idempotencyKey }: Call): Record<string, string> {
  return {
    accept: ACCEPT[row.answers],
    ...(target.authorization === undefined ? {} : { authorization: target.authorization }),
    ...(row.body === undefined ? {} : { "content-type": "application/json" }),
    ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
    ...headers,
  };
}
