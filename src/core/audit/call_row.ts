/** The row of a call, from what is known before it is forwarded and after it has ended. */
import { type AuditRow, UNKNOWN_OUTCOME } from "../../contract/audit.ts";
import type { SentinelError } from "../../contract/mod.ts";
import type { Digest } from "../../ports/digest.ts";
import type { Call, Outcome } from "../call/call.ts";
import type { Ending } from "../call/ending.ts";
import { definitionHash } from "../catalog/definition_hash.ts";
import { definitionOf } from "../catalog/entry.ts";
import type { Target } from "../catalog/types.ts";
import { isObject } from "../mcp/json.ts";
import type { Forms } from "./forms.ts";
import { recordedParams } from "./forms.ts";
import type { RecordingPolicy } from "./policy.ts";

/** Longest name or URI that is recorded, and longest reason. */
const MAX_TEXT = 1000;

/** A row while its call is under way; absent members are undefined, JSON leaves them out. */
export type Draft = { -readonly [Member in keyof AuditRow]: AuditRow[Member] | undefined };

/** How a call ended. */
export interface CallEnd {
  readonly outcome: Outcome;
  readonly ending: Ending;
  readonly ms: number;
}

export interface RowOptions {
  readonly instance: string;
  readonly digest: Digest;
  readonly forms: Forms;
  readonly policy: RecordingPolicy;
  /** Hash of the configuration in force. */
  readonly config: string;
}

/**
 * What is known of a call before it is forwarded: its row, if nobody ever learned how it ended. Members in the
 * order of the schema, all of them, so that rows are objects of one shape.
 */
export function draftOf(
  call: Call,
  { instance, digest, config, forms, policy }: RowOptions,
): Draft {
  const { caller, target } = call;
  const { principal } = caller;
  return {
    instance,
    sequence: 0,
    kind: "call",
    request: call.request,
    trace: call.trace?.id,
    at: new Date(call.at).toISOString(),
    principal: principal.id,
    roles: principal.roles,
    client: caller.client,
    address: caller.address,
    session: caller.ref,
    transport: caller.front,
    era: caller.era,
    protocol: caller.revision,
    method: call.method,
    name: target?.exposed ?? nameIn(call),
    backend: target?.backend,
    backendProtocol: call.link?.revision,
    definition: target === undefined ? undefined : definitionIn(target, digest),
    revision: call.world.revision,
    config,
    arguments: forms.ofValue(recordedParams(call.method, call.params), policy.arguments),
    result: undefined,
    outcome: UNKNOWN_OUTCOME,
    error: undefined,
    reason: undefined,
    executed: "unknown",
    decisions: decisionsOf(call),
    bridge: undefined,
    rounds: undefined,
    durationMs: undefined,
    backendMs: undefined,
    requestBytes: call.size,
    resultBytes: undefined,
    details: undefined,
  };
}

/** Writes into the draft how the call ended. */
export function completeDraft(
  draft: Draft,
  call: Call,
  end: CallEnd,
  { forms, policy }: RowOptions,
): void {
  const { outcome, ending, ms } = end;
  const error = refusalOf(outcome);
  const text = outcome.kind === "result" && outcome.rejected === undefined
    ? outcome.result
    : undefined;
  draft.result = text === undefined ? undefined : forms.ofText(text, policy.results);
  draft.outcome = ending.outcome;
  draft.error = error?.code ?? (ending.status === "" ? undefined : ending.status);
  draft.reason = error === undefined ? undefined : reasonOf(error);
  draft.executed = error?.details.executed;
  draft.decisions = decisionsOf(call);
  draft.bridge = call.bridge;
  draft.rounds = call.rounds === 0 ? undefined : call.rounds;
  draft.durationMs = rounded(ms);
  draft.backendMs = call.isIntended ? rounded(call.backendMs) : undefined;
  draft.resultBytes = text?.length;
}

/** Where the text of a draft ends with what is known before a call is sent; nothing like it can follow. */
const UNENDED = ',"outcome":"unknown","executed":"unknown"';

/**
 * The text of a draft whose call has ended, made from the text it had before: what a call was is not written as
 * JSON twice.
 * @param before JSON of the draft as `draftOf` gave it
 */
export function endedText(draft: Draft, before: string): string {
  const start = `{"instance":"${draft.instance}","sequence":`;
  const what = before.slice(start.length + 1, before.lastIndexOf(UNENDED));
  const end = JSON.stringify({
    result: draft.result,
    outcome: draft.outcome,
    error: draft.error,
    reason: draft.reason,
    executed: draft.executed,
    decisions: draft.decisions,
    bridge: draft.bridge,
    rounds: draft.rounds,
    durationMs: draft.durationMs,
    backendMs: draft.backendMs,
    requestBytes: draft.requestBytes,
    resultBytes: draft.resultBytes,
  });
  return `${start}${draft.sequence}${what},${end.slice(1)}`;
}

function decisionsOf({ decisions }: Call): readonly string[] | undefined {
  return decisions.length === 0 ? undefined : decisions;
}

/** What a caller asked for that the catalog does not have: its own words, cut. */
function nameIn({ params }: Call): string | undefined {
  const named = params["name"] ?? params["uri"];
  if (typeof named === "string") return named.slice(0, MAX_TEXT).toWellFormed();
  const { ref } = params;
  const of = isObject(ref) ? ref["name"] ?? ref["uri"] : undefined;
  return typeof of === "string" ? of.slice(0, MAX_TEXT).toWellFormed() : undefined;
}

function definitionIn(target: Target, digest: Digest): string | undefined {
  const hasDefinition = target.kind === "tool" || target.kind === "prompt";
  return hasDefinition ? definitionHash(definitionOf(target), digest) : undefined;
}

function refusalOf(outcome: Outcome): SentinelError | undefined {
  if (outcome.kind === "refused") return outcome.error;
  return outcome.kind === "result" ? outcome.rejected : undefined;
}

function reasonOf({ message, details }: SentinelError): string {
  const { rule } = details.more ?? {};
  const reason = details.reason ?? message;
  return (typeof rule === "string" ? `${rule}: ${reason}` : reason).slice(0, MAX_TEXT)
    .toWellFormed();
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
