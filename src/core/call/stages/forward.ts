/** `forward`: sends the inspected form to the backend and waits for the answer. */
import { asSentinelError, type SentinelError } from "../../../contract/mod.ts";
import type { Backend } from "../../backends/backend.ts";
import type { Ask, AskReply, Link, LinkReply } from "../../backends/link.ts";
import { across, clientFacts } from "../../bridge/across.ts";
import { canBeAsked } from "../../bridge/input_required.ts";
import type { Target } from "../../catalog/types.ts";
import type { JsonObject } from "../../mcp/json.ts";
import { cannotAnswer, Session } from "../../session/session.ts";
import { argumentsOf } from "../arguments.ts";
import type { Call } from "../call.ts";
import { sendAgain } from "./again.ts";
import { callTimeMs, located, overBefore } from "./call_time.ts";

export function forward(call: Call): undefined | Promise<undefined> {
  if (call.answer !== undefined) return undefined;
  const { link } = call as { link: Link };
  const params = forwarded(call);
  if (link.era === "legacy" && call.caller.era === "legacy") return send(call, params);
  return sendAcross(call, params);
}

async function sendAcross(call: Call, params: JsonObject): Promise<undefined> {
  call.answer = await across(call, params, async (sent) => {
    await send(call, sent);
    return call.answer as LinkReply;
  });
}

async function send(call: Call, params: JsonObject): Promise<undefined> {
  const backend = call.backend as Backend;
  // A further round of a call: its place went to others while its client was asked.
  if (!call.holdsPlace) {
    call.deadline = backend.guard.clock.monotonic() + callTimeMs(call, backend);
    await backend.guard.enter(call);
  }
  const error = await sendOnce(call, params);
  if (error !== undefined) await sendAgain(call, () => sendOnce(call, params), error);
}

/** Gives why there is no answer. */
async function sendOnce(call: Call, params: JsonObject): Promise<SentinelError | undefined> {
  const { target, link, backend } = call as { target: Target; link: Link; backend: Backend };
  const timeoutMs = callTimeMs(call, backend);
  const leftMs = call.deadline - backend.guard.clock.monotonic();
  if (leftMs <= 0) return overBefore(backend.name);
  const under = { way: true };
  const attempt = call.trace?.attempt(call);
  const exchange = link.request({
    method: call.method,
    params,
    owner: call.caller.id,
    timeoutMs,
    spentMs: timeoutMs - leftMs,
    ...(target.kind === "tool" ? { tool: target.exposed } : {}),
    ...(link.era === "modern" ? { client: clientFacts(call) } : {}),
    ...(attempt === undefined ? {} : { trace: attempt.headers }),
    notify: (method, params) => deliver(call, method, params),
    ask: (ask) => put(call, ask, under),
  });
  call.onCancel((reason) => exchange.cancel(reason));
  try {
    const answer = await exchange.reply;
    backend.guard.answered(call, answer);
    call.answer = answer;
    attempt?.end(answer);
    return undefined;
  } catch (cause) {
    const isUnwanted = call.failure !== undefined || call.cancelled !== undefined;
    attempt?.end(isUnwanted ? "cancelled" : asSentinelError(cause));
    if (call.failure !== undefined) throw call.failure;
    const error = asSentinelError(cause);
    if (call.cancelled === undefined) backend.guard.failed(call, error);
    return located(error, target.backend);
  } finally {
    under.way = false;
    call.backendMs += exchange.tookMs;
    backend.guard.leave(call);
  }
}

/** The parameters under the backend's own names, with configured defaults filled in. */
function forwarded(call: Call): JsonObject {
  const { method, params, target } = call as Call & { target: Target };
  if (method === "completion/complete") {
    const ref = params["ref"] as JsonObject;
    return ref["type"] === "ref/prompt"
      ? { ...params, ref: { ...ref, name: target.original } }
      : params;
  }
  if (call.task !== undefined) return { ...params, taskId: call.task };
  if (target.kind === "resource") return params;
  const named = { ...params, name: target.original };
  if (target.defaults === undefined) return named;
  return { ...named, arguments: argumentsOf(params, target) };
}

function deliver(call: Call, method: string, params: JsonObject): void {
  if (method === "notifications/message" && !call.caller.wantsLog(params)) return;
  call.hasTold = true;
  call.reply.notify(method, call.trace?.toClient(params) ?? params);
}

function traced({ trace }: Call, ask: Ask): Ask {
  const params = trace?.toClient(ask.params);
  return params === undefined || params === ask.params ? ask : { ...ask, params };
}

async function put(call: Call, ask: Ask, under: { readonly way: boolean }): Promise<AskReply> {
  if (!canBeAsked(call.caller, ask)) return cannotAnswer(ask.method);
  const backend = call.backend as Backend;
  const { elicitationId } = ask.params;
  if (typeof elicitationId === "string" && call.caller instanceof Session) {
    backend.awaitCompletion(elicitationId, call.caller);
  }
  call.hasTold = true;
  const { inFlight } = backend.guard;
  // The backend waits for a person: meanwhile it can work on another call.
  inFlight.release(call);
  try {
    const question = { caller: call.caller, backend: backend.name, ask: traced(call, ask) };
    return await call.world.interceptors.ask(question, (asked) => call.reply.ask(call, asked));
  } finally {
    if (under.way) inFlight.retake(call);
  }
}
