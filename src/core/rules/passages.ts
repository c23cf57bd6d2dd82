/** What may be changed in each phase, and what whoever is refused is told. */
import { ERRORS, type RpcError, SentinelError } from "../../contract/mod.ts";
import type { AskReply, LinkReply } from "../backends/link.ts";
import type { Call } from "../call/call.ts";
import type { Target } from "../catalog/types.ts";
import { isObject, type JsonObject, parse } from "../mcp/json.ts";
import type { Attention } from "./attention.ts";
import type { Passage } from "./chain.ts";
import { factsOf, type ToolFacts } from "./facts.ts";
import { type Denial, refusalOf } from "./refusal.ts";
import { type Question, SeenAsk, SeenCall, SeenList, SeenReply, SeenResult } from "./seen.ts";

/** Members that say what a request is for: a changed one would slip past what was checked before. */
const FIXED = ["name", "uri", "ref"] as const;

export function callPassage(call: Call, attention: Attention): Passage<"call"> {
  return {
    seen: new SeenCall(call, attention),
    attention,
    trace: call.trace,
    change: (verdict) => {
      const params = memberOf(verdict, "params");
      if (params === undefined || FIXED.some((key) => params[key] !== call.params[key])) {
        return false;
      }
      call.params = params;
      return true;
    },
    refusal: (by, reason) => refused(call, { by, reason, executed: "no" }),
  };
}

/** `answered` gives the answer as the hooks left it, the same object when they left it alone. */
export function resultPassage(call: Call, attention: Attention, answer: LinkReply) {
  const isError = "error" in answer;
  const seen = new SeenResult(
    call,
    attention,
    isError ? { error: { ...answer.error } } : { text: answer.result },
  );
  let changed = false;
  const passage: Passage<"result"> = {
    seen,
    attention,
    trace: call.trace,
    change: (verdict) => {
      const result = memberOf(verdict, "result");
      if (result === undefined || (isError && toError(result) === undefined)) return false;
      seen.replace(result);
      changed = true;
      return true;
    },
    refusal: (by, reason) => refused(call, { by, reason, executed: "unknown" }),
  };
  const answered = (): LinkReply => {
    if (!changed) return answer;
    if (isError) return { error: toError(seen.result) as RpcError };
    const failed = seen.result["isError"] === true ? { isError: true } as const : {};
    return { result: seen.text, ...failed };
  };
  return { passage, answered };
}

export function listPassage(seen: SeenList, attention: Attention): Passage<"list"> {
  const all = new Set<unknown>(seen.items);
  return {
    seen,
    attention,
    change: (verdict) => {
      const keep = "keep" in verdict ? verdict.keep : undefined;
      if (!Array.isArray(keep) || !keep.every((item) => all.has(item))) return false;
      seen.items = keep as readonly ToolFacts[];
      return true;
    },
    refusal: (by, reason) =>
      new SentinelError("POLICY_DENIED", `Cannot list: ${reason}`, {
        reason,
        executed: "no",
        more: { rule: by },
      }),
  };
}

/** `changed` gives the question with what the hooks made of its parameters. */
export function askPassage(question: Question, attention: Attention) {
  const seen = new SeenAsk(question, attention);
  const passage: Passage<"ask"> = {
    seen,
    attention,
    change: (verdict) => {
      const params = memberOf(verdict, "params");
      if (params !== undefined) seen.params = params;
      return params !== undefined;
    },
    refusal: (by, reason) => notAsked(question, by, reason),
  };
  const { ask } = question;
  const asked = () => seen.params === ask.params ? ask : { ...ask, params: seen.params };
  return { passage, asked };
}

/** `replied` gives the answer as the hooks left it, the same text when they left it alone. */
export function replyPassage(question: Question, attention: Attention, text: string) {
  const before = parse(text);
  const seen = new SeenReply(question, attention, isObject(before) ? before : {});
  const passage: Passage<"reply"> = {
    seen,
    attention,
    change: (verdict) => {
      const result = memberOf(verdict, "result");
      if (result !== undefined) seen.result = result;
      return result !== undefined;
    },
    refusal: (by, reason) => notAsked(question, by, reason),
  };
  const replied = (): AskReply => ({
    result: seen.result === before ? text : JSON.stringify(seen.result),
  });
  return { passage, replied };
}

/** What a backend is told when its question was refused: nothing about rules and callers. */
export function refusedQuestion({ ask }: Question): AskReply {
  const message = `Cannot ask the client "${ask.method}": a policy of the gateway forbids it`;
  return { error: { code: ERRORS.POLICY_DENIED.code, message } };
}

function refused(call: Call, denial: Denial): SentinelError {
  return refusalOf("POLICY_DENIED", factsOf(call.target as Target), denial);
}

function notAsked({ ask }: Question, by: string, reason: string): SentinelError {
  const message = `Cannot ask the client "${ask.method}": ${reason}`;
  return new SentinelError("POLICY_DENIED", message, { reason, more: { rule: by } });
}

function memberOf(verdict: object, name: string): JsonObject | undefined {
  const value = (verdict as JsonObject)[name];
  return isObject(value) ? value : undefined;
}

function toError({ code, message, data }: JsonObject): RpcError | undefined {
  if (typeof code !== "number" || typeof message !== "string") return undefined;
  return { code, message, ...(data === undefined ? {} : { data }) };
}
