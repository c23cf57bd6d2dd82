/** `result`: the backend's answer in the caller's revision. Parsed only when something must change. */
import type { LinkReply } from "../../backends/link.ts";
import type { Target } from "../../catalog/types.ts";
import { isObject } from "../../mcp/json.ts";
import { revisionOf } from "../../mcp/revisions.ts";
import { downgradeContent } from "../../mcp/downgrade.ts";
import type { Call, Outcome } from "../call.ts";

/** URIs remembered for one session; the oldest are forgotten. */
const MAX_PRODUCERS = 1000;

export function result(call: Call): Outcome | Promise<Outcome> {
  const passed = call.world.interceptors.result(call, call.answer as LinkReply);
  return passed instanceof Promise
    ? passed.then((answer) => outcomeOf(call, answer))
    : outcomeOf(call, passed);
}

function outcomeOf(call: Call, answer: LinkReply): Outcome {
  call.answer = answer;
  if ("error" in answer) return { kind: "remote", error: answer.error };
  remember(call, answer.result);
  const { structured, audio } = revisionOf(call.caller.revision);
  if (structured && audio) return { kind: "result", result: answer.result };
  return { kind: "result", result: downgradeContent(answer.result, { structured, audio }) };
}

/** Notes which backend mentioned which URI, for reads of resources that no list has. */
function remember(call: Call, text: string): void {
  if (call.method !== "tools/call" || !text.includes('"resource')) return;
  const parsed: unknown = JSON.parse(text);
  if (!isObject(parsed) || !Array.isArray(parsed["content"])) return;
  const { producers } = call.caller;
  for (const block of parsed["content"]) {
    const uri = uriOf(block);
    if (uri === undefined) continue;
    producers.delete(uri);
    producers.set(uri, (call.target as Target).backend);
    if (producers.size > MAX_PRODUCERS) producers.delete(producers.keys().next().value as string);
  }
}

function uriOf(block: unknown): string | undefined {
  if (!isObject(block)) return undefined;
  const holder = block["type"] === "resource" ? block["resource"] : block;
  const uri = isObject(holder) ? holder["uri"] : undefined;
  return typeof uri === "string" ? uri : undefined;
}
