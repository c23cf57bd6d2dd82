/** The door for everything HTTP: an exact switch over the data plane's paths. */
import { asSentinelError, type RequestId } from "../../contract/mod.ts";
import type { FrontContext } from "./context.ts";
import type { HttpPolicy } from "./http_policy.ts";
import { openSse, postSse } from "./http_sse.ts";
import type { Peer } from "./peer.ts";
import { refusal } from "./responses.ts";
import { handleStreamable } from "./streamable_http.ts";

export type FetchHandler = (request: Request, peer?: Peer) => Promise<Response>;

export interface FetchOptions {
  readonly policy: HttpPolicy;
  /** Path of Streamable HTTP. */
  readonly path: string;
  readonly legacySse: boolean;
  /** True for a name of `[toolsets]`. */
  readonly hasToolset: (name: string) => boolean;
  readonly requestId: () => RequestId;
  /** A defect, for the log. */
  readonly defect: (cause: unknown, request: RequestId) => void;
}

/** Builds the handler; it never rejects. */
export function createFetch(context: FrontContext, options: FetchOptions): FetchHandler {
  return async (request) => {
    try {
      options.policy.admit(request);
      return await dispatch(context, options, request);
    } catch (cause) {
      const id = options.requestId();
      const error = asSentinelError(cause);
      if (error.code === "INTERNAL") options.defect(error.cause, id);
      return refusal(error, id);
    }
  };
}

function dispatch(
  context: FrontContext,
  options: FetchOptions,
  request: Request,
): Response | Promise<Response> {
  const { path, query } = target(request.url);
  if (path === options.path) return handleStreamable(context, request, undefined);
  if (path.startsWith(options.path) && path[options.path.length] === "/") {
    const toolset = path.slice(options.path.length + 1);
    if (options.hasToolset(toolset)) return handleStreamable(context, request, toolset);
  }
  if (options.legacySse && path === "/sse") return openSse(context, request);
  if (options.legacySse && (path === "/messages/" || path === "/messages")) {
    return postSse(context, request, query);
  }
  return new Response("Not found", { status: 404 });
}

/** Path and query of an absolute URL, without the cost of a URL object. */
function target(url: string): { readonly path: string; readonly query: string } {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  if (start === -1) return { path: "/", query: "" };
  const question = url.indexOf("?", start);
  if (question === -1) return { path: url.slice(start), query: "" };
  return { path: url.slice(start, question), query: url.slice(question + 1) };
}
