/** Questions of a modern backend for a modern client: they pass, with what the backend remembers sealed. */
import type { Ask, AskReply, LinkReply } from "../backends/link.ts";
import type { Call } from "../call/call.ts";
import type { Target } from "../catalog/types.ts";
import { isObject, type JsonObject, parse } from "../mcp/json.ts";
import { bindingOf, cannotContinue } from "./binding.ts";
import { canBeAsked, type InputRequest, readInputRequired } from "./input_required.ts";
import { unanswered } from "./unanswered.ts";

/** A refusal of the gateway, in the words of `unanswered`. */
const FORBIDDEN = "a policy of the gateway forbids it";

/**
 * The result as the client may see it, the same object when nothing changes.
 * @throws SentinelError BACKEND_PROTOCOL, CLIENT_UNREACHABLE
 */
export async function passQuestions(
  call: Call,
  reply: LinkReply & { readonly result: string },
): Promise<LinkReply> {
  const { requests, state } = readInputRequired(call.method, reply.result);
  const passed = new Map<string, InputRequest>();
  for (const [key, request] of requests) {
    if (!canBeAsked(call.caller, request)) {
      return unanswered(call, `it did not declare that it can answer "${request.method}"`);
    }
    const asked = await call.world.interceptors.asked(questionOf(call, request));
    if (asked === undefined) return unanswered(call, FORBIDDEN);
    passed.set(
      key,
      asked.params === request.params ? request : { ...request, params: asked.params },
    );
  }
  const changed = [...requests].some(([key, request]) => passed.get(key) !== request);
  if (!changed && state === undefined) return reply;
  const result = {
    ...parse(reply.result) as JsonObject,
    ...(changed ? { inputRequests: Object.fromEntries(passed) } : {}),
    ...(state === undefined ? {} : { requestState: await sealed(call, state) }),
  };
  return { ...reply, result: JSON.stringify(result) };
}

/** What is sent, or what the client is told because nothing is. */
export type Passed = { readonly params: JsonObject } | { readonly reply: LinkReply };

/**
 * The parameters of a retry as the backend knows them.
 * @throws SentinelError INVALID_PARAMS for a state that is not of this call, CLIENT_UNREACHABLE
 */
export async function passAnswers(call: Call, params: JsonObject): Promise<Passed> {
  const { inputResponses, requestState } = params;
  let passed = params;
  if (requestState !== undefined) {
    if (typeof requestState !== "string") throw cannotContinue();
    const state = await call.world.bridge.states.open(requestState, boundTo(call));
    passed = { ...passed, requestState: state };
  }
  if (!isObject(inputResponses)) return { params: passed };
  const entries: (readonly [string, unknown])[] = [];
  for (const [key, response] of Object.entries(inputResponses)) {
    const allowed = await judged(call, response);
    if (allowed === undefined) return { reply: unanswered(call, FORBIDDEN) };
    entries.push([key, allowed.response]);
  }
  return { params: { ...passed, inputResponses: Object.fromEntries(entries) } };
}

/** What the reply hooks leave of one answer; undefined when they refuse it. */
async function judged(
  call: Call,
  response: unknown,
): Promise<{ readonly response: unknown } | undefined> {
  if (!isObject(response)) return { response };
  const before: AskReply = { result: JSON.stringify(response) };
  const question = questionOf(call, { method: methodOf(response), params: {} });
  const after = await call.world.interceptors.replied(question, before);
  if ("error" in after) return undefined;
  return { response: after === before ? response : parse(after.result) };
}

/** A retry does not say what was asked, but each kind of answer has members of its own. */
function methodOf(response: JsonObject): string {
  if (response["roots"] !== undefined) return "roots/list";
  return response["action"] === undefined ? "sampling/createMessage" : "elicitation/create";
}

function questionOf(call: Call, { method, params }: InputRequest) {
  const ask: Ask = { method, params, signal: new AbortController().signal, progress: () => {} };
  return { caller: call.caller, backend: (call.target as Target).backend, ask };
}

function sealed(call: Call, state: string): Promise<string> {
  const { bridge, config } = call.world;
  return bridge.states.seal(state, boundTo(call), config.bridge.answer_timeout);
}

function boundTo(call: Call): string {
  const { backend, original } = call.target as Target;
  const binding = bindingOf(call.caller, { method: call.method, params: call.given });
  return JSON.stringify([backend, original, binding]);
}
