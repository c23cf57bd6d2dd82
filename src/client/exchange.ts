/** One HTTP exchange: out with the request, back comes a good answer or an error of ours. */
import { type Call, reached } from "./call.ts";
import { refusalOf } from "./refusal.ts";
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
  if (response.ok) return response;
  throw await refusalOf(call, response, watch.signal);
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
