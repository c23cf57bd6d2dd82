/** What rules of a phase act on. */
import type { Executed } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { JsonObject } from "../mcp/json.ts";
import { withArgs } from "./args.ts";
import { assigned } from "./assign.ts";
import type { CallRequest, ResultRequest, TargetFacts } from "./interceptor.ts";
import { mapData } from "./result_data.ts";
import { CallScope } from "./scope.ts";

export interface Subject {
  readonly scope: CallScope;
  readonly tool: TargetFacts;
  readonly executed: Executed;
  readonly signal: AbortSignal;
  readonly note: (decision: string) => void;
  /** Replaces data: arguments, or what a result holds. */
  redact(map: (data: unknown) => unknown): void;
  /** Sets a value, at a path without its first name. */
  assign(path: readonly string[], value: unknown): void;
}

/** A call, and what rules made of its parameters: undefined when they left them alone. */
export function callSubject(request: CallRequest, clock: Clock) {
  const scope = new CallScope(request, clock);
  let changed = false;
  const put = (args: JsonObject): void => {
    changed ||= args !== scope.plainArgs;
    scope.plainArgs = args;
  };
  const subject: Subject = {
    ...shared(request, scope, "no"),
    redact: (map) => put(map(scope.plainArgs) as JsonObject),
    assign: (path, value) => put(assigned(scope.plainArgs, path, value)),
  };
  const verdict = () =>
    changed ? { params: withArgs(request.params, request.method, scope.plainArgs) } : undefined;
  return { subject, verdict };
}

/** A result, and what rules made of it: undefined when they left it alone. */
export function resultSubject(request: ResultRequest, clock: Clock) {
  const scope = new CallScope(request, clock);
  let changed = false;
  const put = (result: JsonObject): void => {
    changed ||= result !== scope.plainResult;
    scope.plainResult = result;
  };
  const subject: Subject = {
    ...shared(request, scope, "unknown"),
    redact: (map) => put(mapData(scope.plainResult, map)),
    assign: (path, value) => put(assigned(scope.plainResult, path, value)),
  };
  return { subject, verdict: () => changed ? { result: scope.plainResult } : undefined };
}

function shared(request: CallRequest | ResultRequest, scope: CallScope, executed: Executed) {
  return {
    scope,
    tool: request.tool,
    executed,
    get signal() {
      return request.signal;
    },
    note: request.note,
  };
}
