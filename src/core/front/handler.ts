/** The door for everything HTTP: an exact switch over the data plane's paths. */
import { asSentinelError, type RequestId, type SentinelError } from "../../contract/mod.ts";
import type { Principal } from "../auth/principal.ts";
import type { ProtectedResource } from "../auth/protected_resource.ts";
import type { FrontContext } from "./context.ts";
import { type Endpoint, endpointAt, type EndpointOptions } from "./endpoints.ts";
import type { HttpHandler, HttpIncoming, HttpOutgoing } from "./http_message.ts";
import { answerProbe, type Probes } from "./health.ts";
import type { HttpPolicy } from "./http_policy.ts";
import { openSse, postSse } from "./http_sse.ts";
import { jsonResponse, methodNotAllowed, notFound, refusal } from "./responses.ts";
import type { Peer } from "./peer.ts";
import { RefusedMessage } from "./refused_message.ts";
import { handleStreamable } from "./streamable_http.ts";
import { openWebSocket } from "./websocket.ts";

export interface HandlerOptions extends EndpointOptions {
  readonly probes: Probes;
  /** In force now. */
  readonly policy: () => HttpPolicy;
  /** In force now. */
  readonly resource: () => ProtectedResource;
  readonly requestId: () => RequestId;
  /** Called with everything that is turned away before there is a call. */
  readonly refused: (refused: Refused) => void;
  /** A defect, for the log. */
  readonly defect: (cause: unknown, request: RequestId) => void;
}

/** A request that was turned away before there was a call. */
export interface Refused {
  readonly request: RequestId;
  readonly error: SentinelError;
  readonly method: string;
  readonly path: string;
  /** Of the client, where it is known. */
  readonly address: string | undefined;
}

/** Builds the handler; it never rejects. */
export function createHandler(context: FrontContext, options: HandlerOptions): HttpHandler {
  return async (incoming, peer) => {
    const admitted = admit(options, incoming, peer);
    if ("refusal" in admitted) return admitted.refusal;
    const path = pathOf(incoming);
    const endpoint = endpointAt(path, options);
    if (isProbe(endpoint)) {
      return context.intake.last(answerProbe(options.probes, endpoint, incoming.method));
    }
    try {
      if (endpoint === "metadata") return metadata(options, incoming, path);
      context.intake.check(incoming);
      const found = context.authenticate(incoming.header("authorization"));
      // A promise only for a token that was not seen before.
      const principal = found instanceof Promise ? await found : found;
      if (endpoint === undefined) return notFound();
      const { address } = admitted;
      const admission = { incoming, path, principal, address };
      return context.intake.last(await SERVES[endpoint](context, admission, options));
    } catch (cause) {
      return context.intake.last(refuse(options, { incoming, peer }, cause));
    }
  };
}

/** The client's address; or the answer to who may not even be heard. */
function admit(
  options: HandlerOptions,
  incoming: HttpIncoming,
  peer: Peer | undefined,
): { readonly address: string | undefined } | { readonly refusal: HttpOutgoing } {
  try {
    return { address: options.policy().admit(incoming, peer) };
  } catch (cause) {
    const answer = refuse(options, { incoming, peer }, cause);
    // Nobody reads what follows the headers: the connection cannot be used again.
    return { refusal: { ...answer, headers: { ...answer.headers, connection: "close" } } };
  }
}

function refuse(
  options: HandlerOptions,
  { incoming, peer }: { readonly incoming: HttpIncoming; readonly peer: Peer | undefined },
  cause: unknown,
): HttpOutgoing {
  const id = options.requestId();
  const [error, message] = cause instanceof RefusedMessage
    ? [cause.error, cause.id]
    : [asSentinelError(cause), undefined];
  const { method } = incoming;
  const path = pathOf(incoming);
  const address = options.policy().addressOf(incoming, peer);
  options.refused({ request: id, error, method, path, address });
  if (error.code === "INTERNAL") options.defect(error.cause, id);
  const answer = refusal(error, id, message);
  return error.code === "UNAUTHENTICATED" ? challenged(options, incoming, answer) : answer;
}

interface Admitted {
  readonly incoming: HttpIncoming;
  /** Without the query. */
  readonly path: string;
  readonly principal: Principal;
  /** Of the client, where it is known. */
  readonly address: string | undefined;
}

type Serve = (
  context: FrontContext,
  admitted: Admitted,
  options: HandlerOptions,
) => HttpOutgoing | Promise<HttpOutgoing>;

type Probe = "health" | "ready";

function isProbe(endpoint: Endpoint | undefined): endpoint is Probe {
  return endpoint === "health" || endpoint === "ready";
}

const SERVES: Readonly<Record<Exclude<Endpoint, "metadata" | Probe>, Serve>> = {
  mcp: (context, { incoming, ...caller }) =>
    handleStreamable(context, incoming, { ...caller, toolset: undefined }),
  toolset: (context, { incoming, ...caller }, { path }) =>
    handleStreamable(context, incoming, {
      ...caller,
      toolset: caller.path.slice(path.length + 1),
    }),
  sse: (context, { incoming, ...caller }) => openSse(context, incoming, caller),
  messages: (context, { incoming, ...caller }) => postSse(context, incoming, caller),
  websocket: (context, { incoming, ...caller }) => openWebSocket(context, incoming, caller),
};

/** Who has no token has to find out where to get one. */
function metadata(
  { resource }: HandlerOptions,
  incoming: HttpIncoming,
  path: string,
): HttpOutgoing {
  const document = resource().document(path, incoming.header("host"));
  if (document === undefined) return notFound();
  return incoming.method === "GET" ? jsonResponse(document) : methodNotAllowed("GET");
}

function challenged(
  { resource }: HandlerOptions,
  incoming: HttpIncoming,
  answer: HttpOutgoing,
): HttpOutgoing {
  const presented = incoming.header("authorization") !== undefined;
  const challenge = resource().challenge(pathOf(incoming), incoming.header("host"), presented);
  return { ...answer, headers: { ...answer.headers, "www-authenticate": challenge } };
}

function pathOf({ target }: HttpIncoming): string {
  const question = target.indexOf("?");
  return question === -1 ? target : target.slice(0, question);
}
