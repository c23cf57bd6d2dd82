/** One call between a client and a backend of which at least one is modern. */
import { SentinelError } from "../../contract/mod.ts";
import { mostVerbose } from "../session/log_levels.ts";
import { ModernCaller } from "../session/modern_clients.ts";
import { Session } from "../session/session.ts";
import { declaredCapabilities } from "../backends/declared.ts";
import type { ClientFacts, Link, LinkReply } from "../backends/link.ts";
import type { Call } from "../call/call.ts";
import { definitionOf } from "../catalog/entry.ts";
import type { Target } from "../catalog/types.ts";
import { bridgedExtensions } from "../mcp/extensions.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";
import { cannotContinue } from "./binding.ts";
import { withoutEnvelope, withoutOwnHop } from "./own_hop.ts";
import { passAnswers, passQuestions } from "./passing.ts";
import { translatedError } from "./remote_errors.ts";
import { answerRounds, isInputRequired, type Send } from "./rounds.ts";
import { beganTask, takesTasks, toldOfTask } from "./tasks.ts";

/**
 * Sends the call, and answers or passes what the backend asks on the way.
 * @throws SentinelError
 */
export async function across(call: Call, params: JsonObject, send: Send): Promise<LinkReply> {
  const reply = await exchanged(call, params, send);
  if (call.cancelled !== undefined) return reply;
  if ("error" in reply) return translatedError(call, reply);
  if (call.task !== undefined) return toldOfTask(call, reply);
  if (reply.type !== "task") return reply;
  if (takesTasks(call.caller)) return await beganTask(call, reply);
  throw unwantedTask(call);
}

/** Tasks are declared only for clients that take them. */
function unwantedTask(call: Call): SentinelError {
  const { backend } = call.target as Target;
  return new SentinelError(
    "BACKEND_PROTOCOL",
    `Cannot finish the call: backend "${backend}" began a task that nobody asked for`,
    { backend, reason: 'resultType "task"', executed: "unknown" },
  );
}

async function exchanged(call: Call, params: JsonObject, send: Send): Promise<LinkReply> {
  const link = call.link as Link;
  if (call.caller.era === "legacy") return await answerRounds(call, withoutOwnHop(params), send);
  if (link.era === "legacy") {
    // A state of ours would have led to a call that waits: this one must not begin a second.
    if (params["requestState"] !== undefined) throw cannotContinue();
    return await send(withoutOwnHop(params));
  }
  const passed = await passAnswers(call, withoutEnvelope(params));
  if ("reply" in passed) return passed.reply;
  const reply = await send(passed.params);
  return isInputRequired(reply) ? await passQuestions(call, reply) : reply;
}

/** What a modern backend is told of the client with a request. */
export function clientFacts({ caller, link, target }: Call): ClientFacts {
  const { kind } = target as Target;
  const inputSchema = kind === "tool" ? definitionOf(target as Target)["inputSchema"] : undefined;
  const logLevel = isObject(link?.capabilities["logging"]) ? logLevelOf(caller) : undefined;
  return {
    capabilities: {
      ...declaredCapabilities(caller.capabilities),
      ...bridgedExtensions(caller, "modern"),
    },
    ...(logLevel === undefined ? {} : { logLevel }),
    ...(isObject(inputSchema) ? { inputSchema } : {}),
  };
}

function logLevelOf(caller: Call["caller"]): string | undefined {
  if (caller instanceof Session) return mostVerbose([caller]);
  return caller instanceof ModernCaller ? caller.logLevel : undefined;
}
