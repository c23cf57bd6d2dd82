/** `forward`: sends the inspected form to the backend and waits for the answer. */
import { SentinelError } from "../../../contract/mod.ts";
import type { Ask, AskReply, Link, LinkReply } from "../../backends/link.ts";
import { across, clientFacts } from "../../bridge/across.ts";
import { canBeAsked } from "../../bridge/input_required.ts";
import type { Target } from "../../catalog/types.ts";
import type { JsonObject } from "../../mcp/json.ts";
import { cannotAnswer, Session } from "../../session/session.ts";
import { argumentsOf } from "../arguments.ts";
import type { Call } from "../call.ts";

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
  const { target, link } = call as { target: Target; link: Link };
  const backend = call.world.backends.get(target.backend);
  const exchange = link.request({
    method: call.method,
    params,
    owner: call.caller.id,
    timeoutMs: backend?.config.timeout ?? call.world.config.server.request_timeout,
    ...(target.kind === "tool" ? { tool: target.exposed } : {}),
    ...(link.era === "modern" ? { client: clientFacts(call) } : {}),
    notify: (method, params) => deliver(call, method, params),
    ask: (ask) => put(call, ask),
  });
  call.onCancel((reason) => exchange.cancel(reason));
  try {
    call.answer = await exchange.reply;
  } catch (cause) {
    throw call.failure ?? located(cause, target.backend);
  } finally {
    call.backendMs += exchange.tookMs;
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
  call.reply.notify(method, params);
}

async function put(call: Call, ask: Ask): Promise<AskReply> {
  if (!canBeAsked(call.caller, ask)) return cannotAnswer(ask.method);
  const { elicitationId } = ask.params;
  const backend = call.world.backends.get((call.target as Target).backend);
  if (typeof elicitationId === "string" && call.caller instanceof Session) {
    backend?.awaitCompletion(elicitationId, call.caller);
  }
  const question = { caller: call.caller, backend: (call.target as Target).backend, ask };
  return await call.world.interceptors.ask(question, (asked) => call.reply.ask(call, asked));
}

/** Names the backend in whatever failed. */
function located(cause: unknown, backend: string): unknown {
  if (!(cause instanceof SentinelError) || cause.details.backend !== undefined) return cause;
  return new SentinelError(cause.code, `${cause.message} (backend "${backend}")`, {
    ...cause.details,
    backend,
  }, cause.cause);
}
