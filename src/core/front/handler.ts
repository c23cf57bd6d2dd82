/** The door for everything HTTP: an exact switch over the data plane's paths. */
import { asSentinelError, type ErrorName, type RequestId } from "../../contract/mod.ts";
import type { FrontContext } from "./context.ts";
import type { HttpHandler, HttpIncoming, HttpOutgoing } from "./http_message.ts";
import type { HttpPolicy } from "./http_policy.ts";
import { openSse, postSse } from "./http_sse.ts";
import { notFound, refusal } from "./responses.ts";
import { handleStreamable } from "./streamable_http.ts";

export interface HandlerOptions {
  /** In force now. */
  readonly policy: () => HttpPolicy;
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
    try {
      options.policy().admit(incoming);
      return await dispatch(context, options, incoming);
    } catch (cause) {
      const id = options.requestId();
      const error = asSentinelError(cause);
      options.refused(error.code);
      if (error.code === "INTERNAL") options.defect(error.cause, id);
      return refusal(error, id);
    }
  };
}

function dispatch(
  context: FrontContext,
  options: HandlerOptions,
  incoming: HttpIncoming,
): HttpOutgoing | Promise<HttpOutgoing> {
  const { target } = incoming;
  const question = target.indexOf("?");
  const path = question === -1 ? target : target.slice(0, question);
  if (path === options.path) return handleStreamable(context, incoming, undefined);
  if (path.startsWith(options.path) && path[options.path.length] === "/") {
    const toolset = path.slice(options.path.length + 1);
    if (options.hasToolset(toolset)) return handleStreamable(context, incoming, toolset);
  }
  if (options.legacySse && path === "/sse") return openSse(context, incoming);
  if (options.legacySse && (path === "/messages/" || path === "/messages")) {
    return postSse(context, incoming, question === -1 ? "" : target.slice(question + 1));
  }
  return notFound();
}
