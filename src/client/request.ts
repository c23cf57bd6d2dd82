/** Requests that are answered once. */
import * as v from "valibot";
import { type RouteRow, ROUTES } from "../contract/manage/mod.ts";
import { addressOf, type Filling } from "./address.ts";
import { readText } from "./body.ts";
import { ManagementError } from "./errors.ts";
import { type Call, mismatch, timedOut } from "./call.ts";
import { DEFAULT_TIMEOUT_MS, exchange } from "./exchange.ts";
import type { Target } from "./options.ts";
import type { CommonOptions, RequestRoute } from "./types.ts";
import { Watch } from "./watch.ts";

/** Largest answer that is read, bytes. */
const MAX_ANSWER = 64 * 1_048_576;

/** What may be asked of any route; which of it a route takes is a matter of types. */
export interface AnyRequest extends CommonOptions, Filling {
  readonly body?: unknown;
  readonly idempotencyKey?: string | undefined;
}

/** Sends a request and returns the checked answer: JSON as it came, or the text. */
export async function request(
  target: Target,
  name: RequestRoute,
  options: AnyRequest = {},
): Promise<unknown> {
  const row: RouteRow = ROUTES[name];
  const { signal, timeoutMs = DEFAULT_TIMEOUT_MS, body } = options;
  const call: Call = {
    target,
    row,
    address: addressOf(row, options),
    body,
    idempotencyKey: row.operation ? options.idempotencyKey ?? newKey(target) : undefined,
  };
  const watch = new Watch(target.clock, signal);
  watch.within(timeoutMs, () => timedOut(call, timeoutMs));
  try {
    return await attempts(call, watch);
  } finally {
    watch.end();
  }
}

/** An operation whose connection broke is sent a second time: its key keeps it from being done twice. */
async function attempts(call: Call, watch: Watch): Promise<unknown> {
  try {
    return await attempt(call, watch);
  } catch (error) {
    const lost = error instanceof ManagementError && error.kind === "unreachable";
    if (!lost || call.idempotencyKey === undefined) throw error;
    return await attempt(call, watch);
  }
}

async function attempt(call: Call, watch: Watch): Promise<unknown> {
  const { signal } = watch;
  const response = await exchange(call, watch);
  const text = await readText({ call, response, signal, limit: MAX_ANSWER });
  return call.row.answers === "text" ? text : checked(call, text);
}

/**
 * Data of an answer or event, when it fits the table. Members that the table does not know stay.
 * @throws ManagementError `mismatch`
 */
export function checked(call: Call, text: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw mismatch(call, "answered something that is not JSON");
  }
  const { success, issues } = v.safeParse(call.row.answer, json, { abortEarly: true });
  if (success) return json;
  const [issue] = issues;
  const path = v.getDotPath(issue);
  throw mismatch(call, `unexpected answer: ${path ?? "all of it"}: ${issue.message.slice(0, 200)}`);
}

/** Unique among the operations of all clients, for as long as a gateway remembers them. */
function newKey({ clock, random }: Target): string {
  const part = () => random().toString(36).slice(2);
  return [clock.now().toString(36), part(), part()].join("-");
}
