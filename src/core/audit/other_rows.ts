/** Rows that are about no call. */
import { type AuditRow, GAP_OUTCOME } from "../../contract/audit.ts";
import type { Operation } from "../../contract/mod.ts";
import type { JournalEntry } from "../../ports/journal.ts";
import type { Draft } from "./call_row.ts";
import type { PreviousRun } from "./recovery.ts";

/** What every row says of itself. */
export interface Said {
  readonly instance: string;
  readonly request: string;
  readonly at: string;
  readonly revision: number;
  readonly config: string;
}

/** Runs before this one that a row names; there are more only after a long series of crashes. */
const MAX_PREVIOUS = 100;

export function startRow(
  said: Said,
  { version, previous }: { readonly version: string; readonly previous: readonly PreviousRun[] },
): Draft {
  const named = previous.slice(-MAX_PREVIOUS);
  return rowOf(said, { kind: "start", outcome: "ok", details: { version, previous: named } });
}

/** Rows that are missing between the one before and this one. */
export function gapRow(
  said: Said,
  { count, first, last }: { readonly count: number; readonly first: string; readonly last: string },
): Draft {
  return rowOf(said, { kind: "gap", outcome: GAP_OUTCOME, details: { count, first, last } });
}

export function operationRow(said: Said, operation: Operation): Draft {
  const { id, at, actor, target, reason, before, revision, problems } = operation;
  return rowOf({ ...said, request: id, at, revision }, {
    kind: "operation",
    principal: actor.name,
    address: actor.address,
    method: operation.operation,
    name: target,
    outcome: operation.outcome,
    reason,
    durationMs: operation.durationMs,
    details: {
      before,
      ...(actor.scope === undefined ? {} : { scope: actor.scope }),
      ...(actor.subject === undefined ? {} : { subject: actor.subject }),
      ...(problems === undefined ? {} : { problems }),
    },
  });
}

/** A request that was turned away, by the management API or before sign-in. */
export type Refusal = Omit<Extract<JournalEntry, { kind: "refusal" }>, "kind" | "at">;

export function refusalRow(
  said: Said,
  { request, code, why, method, path, actor }: Refusal,
): Draft {
  return rowOf({ ...said, request }, {
    kind: "refusal",
    principal: actor.name,
    address: actor.address,
    method,
    name: path,
    outcome: "denied",
    error: code,
    reason: why,
    executed: "no",
  });
}

type Known = { readonly [Member in keyof AuditRow]?: AuditRow[Member] | undefined };

/** All members in the order of the schema, so that the JSON of every row has one order. */
function rowOf(said: Said, known: Known): Draft {
  return {
    instance: said.instance,
    sequence: 0,
    kind: known.kind,
    request: said.request,
    trace: undefined,
    at: said.at,
    principal: known.principal,
    roles: undefined,
    client: undefined,
    address: known.address,
    session: undefined,
    transport: undefined,
    era: undefined,
    protocol: undefined,
    method: known.method,
    name: known.name,
    backend: undefined,
    backendProtocol: undefined,
    definition: undefined,
    revision: said.revision,
    config: said.config,
    arguments: undefined,
    result: undefined,
    outcome: known.outcome,
    error: known.error,
    reason: known.reason,
    executed: known.executed,
    decisions: undefined,
    bridge: undefined,
    rounds: undefined,
    durationMs: known.durationMs,
    backendMs: undefined,
    requestBytes: undefined,
    resultBytes: undefined,
    details: known.details,
  };
}
