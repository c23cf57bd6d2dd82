/** The door for everything HTTP: an exact switch over the data plane's paths. */
import { asSentinelError, type ErrorName, type RequestId } from "../../contract/mod.ts";
import type { Principal } from "../auth/principal.ts";
import type { ProtectedResource } from "../auth/protected_resource.ts";
import type { FrontContext } from "./context.ts";
import type { HttpHandler, HttpIncoming, HttpOutgoing } from "./http_message.ts";
import type { HttpPolicy } from "./http_policy.ts";
import { openSse, postSse } from "./http_sse.ts";
import { jsonResponse, methodNotAllowed, notFound, refusal } from "./responses.ts";
import { handleStreamable } from "./streamable_http.ts";

export interface HandlerOptions {
  /** In force now. */
  readonly policy: () => HttpPolicy;
  /** In force now. */
  readonly resource: () => ProtectedResource;
  /** Path of Streamable HTTP. */
  readonly path: string;
  readonly legacySse: boolean;
  /** True for a name of `[toolsets]`. */
  readonly hasToolset: (name: string) => boolean;
  readonly requestId: () => RequestId;
  /** Counts what is turned away before there is a call. */
  readonly refused: (code: ErrorName) => void;
  /** A defect, for the log. */
  readonly defect: (cause: unknown, request: RequestId) => void;
}

/** Builds the handler; it never rejects. */
export function createHandler(context: FrontContext, options: HandlerOptions): HttpHandler {
  return async (incoming) => {
    const path = pathOf(incoming);
    try {
      options.policy().admit(incoming);
      if (path.startsWith("/.well-known/")) return wellKnown(options, incoming, path);
      const found = context.authenticate(incoming.header("authorization"));
      // A promise only for a token that was not seen before.
      const principal = found instanceof Promise ? await found : found;
      return await dispatch(context, options, { incoming, path, principal });
    } catch (cause) {
      const id = options.requestId();
      const error = asSentinelError(cause);
      options.refused(error.code);
      if (error.code === "INTERNAL") options.defect(error.cause, id);
      const answer = refusal(error, id);
      return error.code === "UNAUTHENTICATED" ? challenged(options, incoming, answer) : answer;
    }
  };
}

interface Admitted {
  readonly incoming: HttpIncoming;
  /** Without the query. */
  readonly path: string;
  readonly principal: Principal;
}

function dispatch(
  context: FrontContext,
  options: HandlerOptions,
  { incoming, path, principal }: Admitted,
): HttpOutgoing | Promise<HttpOutgoing> {
  if (path === options.path) {
    return handleStreamable(context, incoming, { principal, toolset: undefined });
  }
  if (path.startsWith(options.path) && path[options.path.length] === "/") {
    const toolset = path.slice(options.path.length + 1);
    if (options.hasToolset(toolset)) {
      return handleStreamable(context, incoming, { principal, toolset });
    }
  }
  if (options.legacySse && path === "/sse") return openSse(context, incoming, principal);
  if (options.legacySse && (path === "/messages/" || path === "/messages")) {
    return postSse(context, incoming, principal);
  }
  return notFound();
}

/** Who has no token has to find out where to get one. */
function wellKnown(
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
