/** Errors of a backend that mean something else to a client of another era. */
import { type RpcError, SentinelError } from "../../contract/mod.ts";
import type { LinkReply } from "../backends/link.ts";
import type { Call } from "../call/call.ts";
import type { Target } from "../catalog/types.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";
import {
  canBeAsked,
  encodeInputRequired,
  type InputRequest,
  isUrlElicitation,
  MAX_QUESTIONS,
} from "./input_required.ts";
import { withoutElicitationId } from "./own_hop.ts";

/** A legacy backend wants the client to visit URLs before the call is made again. */
const URL_ELICITATION_REQUIRED = -32042;
/** A modern backend wants a capability that was not declared with the request. */
const CAPABILITY_MISSING = -32021;

/**
 * The error in the words of the client's era, the same object when they are the same.
 * @throws SentinelError CAPABILITY_MISSING, BACKEND_PROTOCOL
 */
export function translatedError(
  call: Call,
  reply: LinkReply & { readonly error: RpcError },
): LinkReply {
  const { code, data } = reply.error;
  const isModern = call.link?.era === "modern";
  if (isModern && code === CAPABILITY_MISSING) throw missing(call, data);
  if (!isModern && code === URL_ELICITATION_REQUIRED) return urlQuestions(call, data) ?? reply;
  return reply;
}

/** Modern clients are asked, and call the tool anew; undefined when the error names no URL. */
function urlQuestions(call: Call, data: unknown): LinkReply | undefined {
  const { elicitations } = isObject(data) ? data : {};
  if (!Array.isArray(elicitations)) return undefined;
  const questions = elicitations.slice(0, MAX_QUESTIONS).filter(isObject)
    .map((params): InputRequest => ({ method: "elicitation/create", params }))
    .filter(isUrlElicitation);
  const [first] = questions;
  if (first === undefined) return undefined;
  if (!canBeAsked(call.caller, first)) {
    throw capabilityMissing(call, { elicitation: { url: {} } });
  }
  const requests = new Map(
    questions.map((question, at) => [`url_${at + 1}`, withoutElicitationId(question)]),
  );
  return {
    result: encodeInputRequired({ requests, state: undefined }, call.view.meta),
    type: "input_required",
  };
}

/** The error speaks of our hop: the client is told only when it is the client who cannot. */
function missing(call: Call, data: unknown): SentinelError {
  const { requiredCapabilities: required } = isObject(data) ? data : {};
  if (isObject(required) && lacks(call.caller.capabilities, required)) {
    return capabilityMissing(call, required);
  }
  return new SentinelError(
    "BACKEND_PROTOCOL",
    "Cannot finish the call: the backend misses a capability that it was told of, or that is not bridged",
    { executed: "no", reason: `code ${CAPABILITY_MISSING}` },
  );
}

function capabilityMissing(call: Call, required: JsonObject): SentinelError {
  const { backend } = call.target as Target;
  return new SentinelError(
    "CAPABILITY_MISSING",
    `Cannot finish the call: backend "${backend}" needs a capability that the client did not declare`,
    {
      backend,
      executed: "unknown",
      more: { requiredCapabilities: required },
      // To a session the status would say that its transport is broken.
      ...(call.caller.era === "legacy" ? { http: 200 } : {}),
    },
  );
}

/** True when one of the members that are required is not declared, at any depth. */
function lacks(declared: JsonObject, required: JsonObject): boolean {
  return Object.entries(required).some(([key, wanted]) => {
    const given = declared[key];
    if (!isObject(given)) return !isImplied(declared, key);
    return isObject(wanted) && lacks(given, wanted);
  });
}

/** `elicitation: {}` means form (specification, elicitation). */
function isImplied(declared: JsonObject, key: string): boolean {
  return key === "form" && Object.keys(declared).length === 0;
}
