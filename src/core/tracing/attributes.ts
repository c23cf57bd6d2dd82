/** What spans say of a call, in the names of the semantic conventions for MCP. */
import type { BackendConfig } from "../../contract/mod.ts";
import { OTHER } from "../../contract/metrics.ts";
import type { SpanAttributes } from "../../ports/tracing.ts";
import type { Backend } from "../backends/backend.ts";
import { errorLabels, type LinkOutcome } from "../backends/link_metrics.ts";
import type { Call } from "../call/call.ts";
import type { Ending } from "../call/ending.ts";
import { STEPS } from "../call/methods.ts";
import type { Target } from "../catalog/types.ts";
import { networkTransport } from "../session/network_transport.ts";

/** Longest text of a caller on a span. */
const MAX_TEXT = 1000;
/** Longest text of arguments on a span. */
const MAX_ARGUMENTS = 4096;

/** The one request of a client that is no call. */
const INITIALIZE = "initialize";

/** A caller must not make names. */
export function knownMethod({ method }: Pick<Call, "method">): string {
  return STEPS.has(method) ? method : OTHER;
}

/** `{method} {target}`: addresses of resources are no part of names. */
export function spanName(call: Call, name: (target: Target) => string): string {
  const { target } = call;
  const isNamed = target?.kind === "tool" || target?.kind === "prompt";
  return isNamed ? `${knownMethod(call)} ${name(target)}` : knownMethod(call);
}

/** A request of a client; `request` once it has an id in audit and log. */
export type Arrival = Pick<Call, "id" | "method" | "caller"> & { readonly request?: string };

/** What is known as soon as a request has come. */
export function arrivalAttributes({ id, method, caller, request }: Arrival): SpanAttributes {
  const isPipe = caller.front === "stdio";
  return {
    "mcp.method.name": method === INITIALIZE ? method : knownMethod({ method }),
    "mcp.protocol.version": caller.revision,
    "mcp.session.id": caller.ref,
    "jsonrpc.request.id": requestId(id),
    "network.transport": networkTransport(caller.front),
    "network.protocol.name": isPipe
      ? undefined
      : caller.front === "websocket"
      ? "websocket"
      : "http",
    "sentinel.request": request,
  };
}

/** What is known when its answer is. */
export function endingAttributes(call: Call, ending: Ending): SpanAttributes {
  const { target, params } = call;
  const { arguments: shown } = call.world.config.telemetry.traces;
  const isTool = call.method === "tools/call";
  return {
    ...targetAttributes(target, target?.exposed),
    "gen_ai.operation.name": isTool ? "execute_tool" : undefined,
    "gen_ai.tool.call.arguments": shown && isTool
      ? JSON.stringify(params["arguments"])?.slice(0, MAX_ARGUMENTS).toWellFormed()
      : undefined,
    "sentinel.backend": target?.backend,
    "sentinel.bridge": call.bridge,
    "sentinel.outcome": ending.outcome,
    ...errorAttributes(ending.errorType, ending.status),
  };
}

/** Of one request to a backend, when it is sent; `attempt` counts those of the call from 1. */
export function attemptAttributes(call: Call, attempt: number): SpanAttributes {
  const { target, link } = call;
  const { config, kind, name } = call.backend as Backend;
  return {
    "mcp.method.name": knownMethod(call),
    "mcp.protocol.version": link?.revision,
    "network.transport": kind === "stdio" ? "pipe" : "tcp",
    "network.protocol.name": kind === "stdio" ? undefined : "http",
    ...addressOf(config),
    ...targetAttributes(target, target?.original),
    "gen_ai.operation.name": call.method === "tools/call" ? "execute_tool" : undefined,
    "sentinel.backend": name,
    "sentinel.attempt": attempt,
  };
}

/** On this side every code of an answer is an error. */
export function answerAttributes(outcome: LinkOutcome): SpanAttributes {
  if (typeof outcome === "object" && "result" in outcome && !("isError" in outcome)) return {};
  const { error_type, rpc_response_status_code } = errorLabels(outcome);
  return errorAttributes(error_type, rpc_response_status_code);
}

export function errorAttributes(errorType: string, status: string): SpanAttributes {
  return {
    "error.type": errorType === "" ? undefined : errorType,
    "rpc.response.status_code": status === "" ? undefined : status,
  };
}

function targetAttributes(target: Target | undefined, name: string | undefined): SpanAttributes {
  const text = name?.slice(0, MAX_TEXT).toWellFormed();
  return {
    "gen_ai.tool.name": target?.kind === "tool" ? text : undefined,
    "gen_ai.prompt.name": target?.kind === "prompt" ? text : undefined,
    "mcp.resource.uri": target?.kind === "resource" ? text : undefined,
  };
}

/** The id as the client wrote it, without the quotes of a text. */
function requestId(id: string): string {
  return (id.startsWith('"') ? String(JSON.parse(id)) : id).slice(0, MAX_TEXT).toWellFormed();
}

const ADDRESSES = new WeakMap<BackendConfig, SpanAttributes>();

function addressOf(config: BackendConfig): SpanAttributes {
  if (config.url === undefined) return {};
  const known = ADDRESSES.get(config);
  if (known !== undefined) return known;
  const { hostname, port, protocol } = new URL(config.url);
  const standard = protocol === "https:" ? 443 : 80;
  const address = {
    "server.address": hostname,
    "server.port": port === "" ? standard : Number(port),
  };
  ADDRESSES.set(config, address);
  return address;
}
