/** The next request for a call that waited for answers of its client. */
import { asSentinelError, type SentinelError } from "../../contract/mod.ts";
import type { Call } from "../call/call.ts";
import { refuseRequest } from "../call/receive.ts";
import type { Target, View } from "../catalog/types.ts";
import type { FrontContext } from "../front/context.ts";
import type { RequestMessage } from "../mcp/message.ts";
import { killedError } from "../runtime/kill_switches.ts";
import type { Caller } from "../session/caller.ts";
import { ModernCaller } from "../session/modern_clients.ts";
import { bindingOf, cannotContinue } from "./binding.ts";
import type { ParkedCall } from "./parked_calls.ts";
import { ParkingReply } from "./parked_reply.ts";
import type { Round } from "./round.ts";

type Context = Pick<FrontContext, "line" | "parked">;

interface Retry {
  readonly context: Context;
  readonly caller: Caller;
  readonly message: RequestMessage;
  readonly round: Round;
}

/**
 * Goes on with the call whose token the request carries, or refuses the request in its round; false when it
 * carries none, and is a call of its own.
 */
export function resumeParked(
  context: Context,
  caller: Caller,
  message: RequestMessage,
  round: Round,
): boolean {
  const token = message.params?.["requestState"];
  if (!context.parked.isToken(token)) return false;
  const retry = { context, caller, message, round };
  const found = context.parked.find(token);
  if (found === undefined || !belongs(found, retry)) void refuse(retry, cannotContinue());
  else void goOn(retry, token, found);
  return true;
}

function belongs({ binding }: ParkedCall, { caller, message }: Retry): boolean {
  const { method, params = {} } = message;
  return binding === bindingOf(caller, { method, params });
}

async function goOn(retry: Retry, token: string, { call, waiting }: ParkedCall): Promise<void> {
  const { context: { parked }, message: { params = {} }, round } = retry;
  try {
    if (!waiting.isFinished) call.world.limits.readmit(call);
  } catch (cause) {
    return await refuse(retry, asSentinelError(cause));
  }
  parked.take(token);
  round.onGone((reason) => call.cancel(reason));
  call.trace?.join(params, retry.caller instanceof ModernCaller ? retry.caller.header : undefined);
  const refusal = await refusalOf(retry, call);
  if (refusal !== undefined && waiting.isFinished) return await refuse(retry, refusal);
  parked.count(refusal === undefined ? "answered" : "failed");
  waiting.attach(call, { round, params: refusal === undefined ? params : {} });
  if (refusal !== undefined) call.fail(refusal);
}

/** Why the caller may not have the call any more; rates were taken and rules were asked at its start. */
async function refusalOf(
  { context: { line }, caller }: Retry,
  call: Call,
): Promise<SentinelError | undefined> {
  const target = call.target as Target;
  const set = call.world.kills.of(target);
  if (set !== undefined) return killedError(set, target);
  const now = targetNow(line.view(caller), target, caller);
  const isSame = now?.backend === target.backend && now.original === target.original;
  const shown = isSame && await line.world().interceptors.shows(call, target);
  return shown ? undefined : cannotContinue();
}

function targetNow(view: View, { kind, exposed }: Target, caller: Caller): Target | undefined {
  if (kind === "tool") return view.tool(exposed);
  if (kind === "prompt") return view.prompt(exposed);
  return view.resource(exposed, caller.producers.get(exposed));
}

/** The request becomes a call that ends at once, so that it is counted and recorded. */
function refuse(
  { context: { line, parked }, caller, message, round }: Retry,
  error: SentinelError,
): Promise<void> {
  const reply = new ParkingReply(round, parked);
  return refuseRequest(line, { caller, message, reply }, error);
}
