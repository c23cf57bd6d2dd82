/** `result`: the backend's answer in the caller's revision. Parsed only when something must change. */
import type { Link, LinkReply } from "../../backends/link.ts";
import { toLegacyResult, toModernCode, toModernResult } from "../../bridge/fields.ts";
import { definitionOf } from "../../catalog/entry.ts";
import { isWrapped } from "../../catalog/output_schema.ts";
import type { Target } from "../../catalog/types.ts";
import { isObject } from "../../mcp/json.ts";
import { revisionOf } from "../../mcp/revisions.ts";
import { downgradeContent } from "../../mcp/downgrade.ts";
import type { Call, Outcome } from "../call.ts";

/** URIs remembered for one session; the oldest are forgotten. */
const MAX_PRODUCERS = 1000;

type Success = Extract<LinkReply, { readonly result: string }>;

export function result(call: Call): Outcome | Promise<Outcome> {
  const passed = call.world.interceptors.result(call, call.answer as LinkReply);
  return passed instanceof Promise
    ? passed.then((answer) => outcomeOf(call, answer))
    : outcomeOf(call, passed);
}

function outcomeOf(call: Call, answer: LinkReply): Outcome {
  const { caller, link } = call;
  const known = call.answer as LinkReply;
  call.answer = answer;
  if ("error" in answer) {
    const { error } = answer;
    if (caller.era === "legacy") return { kind: "remote", error };
    return { kind: "remote", error: { ...error, code: toModernCode(error.code) } };
  }
  remember(call, answer.result);
  // What is no complete result is in the client's era already: only the modern one has it.
  const isComplete = "error" in known || known.type === undefined;
  const text = isComplete && (link as Link).era !== caller.era
    ? translated(call, answer)
    : answer.result;
  const { structured, audio } = revisionOf(caller.revision);
  if (structured && audio) return { kind: "result", result: text };
  return { kind: "result", result: downgradeContent(text, { structured, audio }) };
}

/** The result in the words of the other era. */
function translated(call: Call, { result: text }: Success): string {
  const { method, view, world } = call;
  const target = call.target as Target;
  if (call.caller.era === "legacy") {
    const isTool = method === "tools/call";
    const { outputSchema } = isTool ? definitionOf(target) : {};
    return toLegacyResult(text, { isTool, isWrapped: isWrapped(outputSchema, "modern") });
  }
  if (method !== "resources/read") return toModernResult(text, { meta: view.meta });
  const ttlMs = world.backends.get(target.backend)?.config.cache_ttl ?? 0;
  return toModernResult(text, { meta: view.meta, cache: { ttlMs, scope: "private" } });
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
