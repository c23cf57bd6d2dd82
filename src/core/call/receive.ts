/** One inbound message of a client: a call is started, a notification taken, an answer handed over. */
import { type RequestId, SentinelError } from "../../contract/mod.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { Message, NotificationMessage, RequestMessage } from "../mcp/message.ts";
import type { View } from "../catalog/types.ts";
import type { World } from "../runtime/world.ts";
import type { Caller } from "../session/caller.ts";
import type { Session } from "../session/session.ts";
import { Call, type Outcome, type Reply, type Stage } from "./call.ts";
import { METHODS } from "./methods.ts";
import { run } from "./run.ts";
import type { RunningCalls } from "./running.ts";
import type { Tracing } from "../../ports/tracing.ts";
import { beginTrace } from "../tracing/call_trace.ts";

/** What the line needs of the gateway around it. */
export interface Line {
  readonly running: RunningCalls;
  /** Absent: no spans are made. */
  readonly tracing?: Tracing | undefined;
  world(): World;
  view(caller: Caller): View;
  requestId(): RequestId;
  monotonic(): number;
  /** Wall time, milliseconds since 1970. */
  now(): number;
  /**
   * Records the end of a call, before its answer leaves: the outcome that is given back is what the client gets.
   * A promise only where the record has to survive a power cut.
   */
  settle(call: Call, outcome: Outcome): Outcome | Promise<Outcome>;
  /** Resolves when first handshakes are decided, at most 2 s after the start; undefined afterwards. */
  starting(): Promise<void> | undefined;
  /** The client's list of roots changed. */
  rootsChanged(session: Session): void;
}

const NOTHING: readonly Stage[] = [() => {
  throw new SentinelError("METHOD_NOT_FOUND", "Method not found");
}];

/** Starts a call; its reply is finished exactly once, whatever happens. */
export function receiveRequest(
  line: Line,
  caller: Caller,
  message: RequestMessage,
  reply: Reply,
): void {
  const starting = message.method === "ping" ? undefined : line.starting();
  if (starting === undefined) void answer(line, begin(line, caller, message, reply));
  else void starting.then(() => answer(line, begin(line, caller, message, reply)));
}

/** A request that is refused before its line begins: counted and recorded as any call. */
export async function refuseRequest(
  line: Line,
  { caller, message, reply }: Received,
  error: SentinelError,
): Promise<void> {
  const call = begin(line, caller, message, reply);
  const told = await line.settle(call, { kind: "refused", error });
  line.running.delete(call);
  call.reply.finish(call, told);
}

/** A request, whose it is, and where its answer goes. */
export interface Received {
  readonly caller: Caller;
  readonly message: RequestMessage;
  readonly reply: Reply;
}

/** The call of a request, counted until it is settled. */
function begin(line: Line, caller: Caller, message: RequestMessage, reply: Reply): Call {
  const call = new Call({
    request: line.requestId(),
    id: message.id,
    method: message.method,
    params: message.params ?? {},
    caller,
    world: line.world(),
    view: line.view(caller),
    reply,
    startedAt: line.monotonic(),
    at: line.now(),
    size: message.size,
  });
  call.trace = beginTrace(line.tracing?.tracer, call);
  caller.load.inFlight++;
  caller.load.total++;
  caller.calls?.set(call.id, call);
  line.running.add(call);
  return call;
}

async function answer(line: Line, call: Call): Promise<void> {
  const outcome = await run(call, METHODS[call.caller.era].get(call.method) ?? NOTHING);
  const settled = line.settle(call, outcome);
  const told = settled instanceof Promise ? await settled : settled;
  call.world.limits.release(call);
  call.backend?.guard.leave(call);
  call.giveBack?.();
  line.running.delete(call);
  call.reply.finish(call, told);
}

/** Takes a notification or an answer. Unknown ones are ignored, as JSON-RPC wants. */
export function receiveOther(
  line: Line,
  session: Session,
  message: Exclude<Message, RequestMessage>,
): void {
  if (message.kind === "response") session.asks.answer(message);
  else receiveNotification(line, session, message);
}

function receiveNotification(
  line: Line,
  session: Session,
  { method, params = {} }: NotificationMessage,
): void {
  if (method === "notifications/initialized") session.initialized = true;
  else if (method === "notifications/cancelled") cancel(session, params);
  else if (method === "notifications/progress") session.asks.progress(params);
  else if (method === "notifications/roots/list_changed") line.rootsChanged(session);
}

function cancel(session: Session, { requestId, reason }: JsonObject): void {
  const call = session.calls.get(JSON.stringify(requestId));
  call?.cancel(typeof reason === "string" ? reason.slice(0, 1000) : "cancelled by the client");
}
