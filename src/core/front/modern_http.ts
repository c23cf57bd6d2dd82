/** Streamable HTTP of the modern era (2026-07-28): each POST is one request that says everything itself. */
import type { NotificationMessage, RequestMessage } from "../mcp/message.ts";
import {
  checkRevision,
  claimedRevision,
  type Envelope,
  LISTEN,
  readEnvelope,
} from "../mcp/envelope.ts";
import type { ModernRequest } from "../session/modern_clients.ts";
import type { FrontContext } from "./context.ts";
import type { ModernMessage } from "./eras.ts";
import type { HttpIncoming, HttpOutgoing } from "./http_message.ts";
import { startModern } from "./modern_call.ts";
import { checkAgreement, checkPresence } from "./modern_headers.ts";
import { listenOverHttp } from "./modern_listen.ts";
import { ModernHttpRound } from "./modern_round.ts";
import { RefusedMessage } from "./refused_message.ts";
import { emptyResponse } from "./responses.ts";
import type { Caller } from "./streamable_http.ts";

/** @throws RefusedMessage, or SentinelError for a notification */
export function serveModern(
  context: FrontContext,
  incoming: HttpIncoming,
  caller: Caller,
  message: ModernMessage,
): HttpOutgoing | Promise<HttpOutgoing> {
  if (message.kind === "notification") return takeNotification(incoming, message);
  const request = { ...requestOf(incoming, caller, message), header: headerOf(incoming) };
  if (message.method === LISTEN) return listen(context, incoming, message, request);
  return answer(context, incoming, message, request);
}

/** None of them says anything over HTTP: a call is cancelled by its connection. */
function takeNotification(incoming: HttpIncoming, message: NotificationMessage): HttpOutgoing {
  checkAgreement(incoming, message, claimedRevision(message.params));
  return emptyResponse(202);
}

function requestOf(
  incoming: HttpIncoming,
  { principal, toolset, address }: Caller,
  message: RequestMessage,
): ModernRequest {
  try {
    const envelope = checked(incoming, message);
    return { principal, toolset, front: "streamable_http", address, envelope };
  } catch (cause) {
    throw new RefusedMessage(cause, message.id);
  }
}

function checked(incoming: HttpIncoming, message: RequestMessage): Envelope {
  const envelope = readEnvelope(message.params);
  checkAgreement(incoming, message, envelope.revision);
  checkRevision(envelope);
  checkPresence(incoming, message);
  return envelope;
}

function headerOf(incoming: HttpIncoming): (name: string) => string | undefined {
  return (name) => incoming.header(name);
}

function answer(
  context: FrontContext,
  incoming: HttpIncoming,
  message: RequestMessage,
  request: ModernRequest,
): Promise<HttpOutgoing> {
  const { answers } = context.sessions;
  const round: ModernHttpRound = new ModernHttpRound({
    id: message.id,
    overflow: () => context.overflow(request),
    over: () => answers.delete(round),
  });
  // Deno says that a client has gone only once a stream has begun.
  answers.add(round);
  incoming.onGone(() => round.leave("the client went away"));
  void startModern(context, request, message, round);
  return round.response;
}

function listen(
  context: FrontContext,
  incoming: HttpIncoming,
  message: RequestMessage,
  request: ModernRequest,
): HttpOutgoing {
  try {
    return listenOverHttp(context, context.clients.caller(request), message, incoming);
  } catch (cause) {
    throw new RefusedMessage(cause, message.id);
  }
}
