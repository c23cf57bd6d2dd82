/** Results that ask for more (`resultType: "input_required"`, specification 2026-07-28, MRTR). */
import { SentinelError } from "../../contract/mod.ts";
import { ALL_CAPABILITIES } from "../backends/declared.ts";
import { isObject, type JsonObject, parse } from "../mcp/json.ts";
import { canAnswer } from "../mcp/server_requests.ts";
import type { Caller } from "../session/caller.ts";

/** Questions of one result. */
export const MAX_QUESTIONS = 64;
/** Characters of a `requestState`. */
const MAX_STATE = 64 * 1024;

/** Methods whose results may ask. */
const ASKING: ReadonlySet<string> = new Set(["tools/call", "prompts/get", "resources/read"]);

/** One question, without its way back. */
export interface InputRequest {
  readonly method: string;
  readonly params: JsonObject;
}

export interface InputRequired {
  /** By the key that its answer has to have. */
  readonly requests: ReadonlyMap<string, InputRequest>;
  readonly state: string | undefined;
}

/** @throws SentinelError BACKEND_PROTOCOL */
export function readInputRequired(method: string, text: string): InputRequired {
  if (!ASKING.has(method)) throw malformed(`it asks in the middle of "${method}"`);
  const { inputRequests = {}, requestState } = parse(text) as JsonObject;
  if (requestState !== undefined && !isState(requestState)) {
    throw malformed(`its "requestState" is no string of at most ${MAX_STATE} characters`);
  }
  if (!isObject(inputRequests)) throw malformed('its "inputRequests" is not an object');
  const entries = Object.entries(inputRequests);
  if (entries.length > MAX_QUESTIONS) {
    throw malformed(`it asks more than ${MAX_QUESTIONS} questions`);
  }
  if (entries.length === 0 && requestState === undefined) throw malformed("it asks for nothing");
  const requests = new Map(entries.map(([key, request]) => [key, toRequest(request)]));
  return { requests, state: requestState };
}

/** JSON text of such a result; `meta` is JSON text of its `_meta`. */
export function encodeInputRequired({ requests, state }: InputRequired, meta: string): string {
  const asked = requests.size === 0
    ? ""
    : `,"inputRequests":${JSON.stringify(Object.fromEntries(requests))}`;
  const kept = state === undefined ? "" : `,"requestState":${JSON.stringify(state)}`;
  return `{"resultType":"input_required"${asked}${kept},"_meta":${meta}}`;
}

/** True when the client declared what this very question needs. */
export function canBeAsked(
  caller: Pick<Caller, "canAnswer" | "capabilities">,
  { method, params }: InputRequest,
): boolean {
  if (!caller.canAnswer(method)) return false;
  const { elicitation, sampling } = caller.capabilities;
  if (isUrlElicitation({ method, params })) {
    return isObject(elicitation) && isObject(elicitation["url"]);
  }
  const withTools = method === "sampling/createMessage" && params["tools"] !== undefined;
  return !withTools || (isObject(sampling) && isObject(sampling["tools"]));
}

export function isUrlElicitation({ method, params }: InputRequest): boolean {
  return method === "elicitation/create" && params["mode"] === "url";
}

function isState(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_STATE;
}

function toRequest(request: unknown): InputRequest {
  const { method, params = {} } = isObject(request) ? request : {};
  if (typeof method !== "string" || !canAnswer(ALL_CAPABILITIES, method) || !isObject(params)) {
    throw malformed("it asks what no client can be asked");
  }
  return { method, params };
}

function malformed(reason: string): SentinelError {
  return new SentinelError("BACKEND_PROTOCOL", `Cannot finish the call: ${reason}`, {
    reason,
    executed: "unknown",
  });
}
