/**
 * The gateway as a fetch handler, for isolates that know nothing but web standards (Workers and their kin): HTTP
 * backends only, configured by bindings. Each request has a core of its own; between requests there is data alone.
 */
import type { Peer } from "../../core/mod.ts";
import { noStandingStream, unusableResponse, watched } from "./answers.ts";
import { type Bindings, CONFIG, type RequestContext } from "./bindings.ts";
import { type Isolate, newIsolate } from "./isolate.ts";
import { openCore } from "./request_core.ts";
import { readSettings, Unusable } from "./settings.ts";
import type { EdgeProblem } from "./unsupported.ts";

export type { Bindings, RequestContext } from "./bindings.ts";
export type { EdgeProblem } from "./unsupported.ts";

export interface EdgeOptions {
  /**
   * Address of the client of a request, for allow and deny lists, limits and the audit. Default: what Cloudflare says
   * it is, where the request carries Cloudflare's own mark; nothing elsewhere.
   */
  readonly addressOf?: (request: Request) => string | undefined;
}

export interface Edge {
  /**
   * Serves one request; never rejects. An unusable configuration is answered with 503 and all that is wrong.
   * @param bindings with the configuration as `SENTINEL_CONFIG`, and the variables it names
   * @param context of the platform, which is told to wait for what goes on after the answer
   */
  readonly fetch: (
    request: Request,
    bindings?: Bindings,
    context?: RequestContext,
  ) => Promise<Response>;
}

/** What an isolate knows of its configuration: how to serve with it, or why not. */
type Known = { readonly isolate: Isolate } | { readonly problems: readonly EdgeProblem[] };

export function createEdge({ addressOf = cloudflareAddress }: EdgeOptions = {}): Edge {
  let known: { readonly from: unknown; readonly what: Known } | undefined;
  /** Read once for each isolate; several first requests may do so side by side, and share no promise. */
  const knownFor = async (bindings: Bindings): Promise<Known> => {
    const from = bindings[CONFIG];
    if (known?.from === from && known !== undefined) return known.what;
    const what = await learn(bindings);
    if (known?.from === from && known !== undefined) return known.what;
    known = { from, what };
    tell(what);
    return what;
  };
  return {
    fetch: async (request, bindings = {}, context) => {
      try {
        const what = await knownFor(bindings);
        if ("problems" in what) return unusableResponse(what.problems);
        return await serve(what.isolate, { request, context, address: addressOf(request) });
      } catch (cause) {
        console.log(JSON.stringify({ level: "error", event: "call.defect", cause: String(cause) }));
        return new Response("Internal error", { status: 500 });
      }
    },
  };
}

const edge = createEdge();

/** As a module that a platform loads. */
export default { fetch: edge.fetch };

async function learn(bindings: Bindings): Promise<Known> {
  try {
    return { isolate: newIsolate(await readSettings(bindings)) };
  } catch (cause) {
    if (cause instanceof Unusable) return { problems: cause.problems };
    throw cause;
  }
}

/** Said once, by the first request. */
function tell(what: Known): void {
  if ("isolate" in what) {
    const { log, settings } = what.isolate;
    for (const notice of settings.notices) log.write("config.no_effect", { notice });
    return;
  }
  for (const problem of what.problems) {
    console.log(JSON.stringify({ level: "error", event: "config.rejected", ...problem }));
  }
}

interface Arrived {
  readonly request: Request;
  readonly context: RequestContext | undefined;
  readonly address: string | undefined;
}

async function serve(isolate: Isolate, { request, context, address }: Arrived): Promise<Response> {
  const { headers, method, url } = request;
  if (method === "GET" && wantsStream(headers)) return noStandingStream();
  const { hostname, pathname } = new URL(url);
  const { core, started, end } = await openCore(isolate, hostname);
  const { promise: sent, resolve } = Promise.withResolvers<void>();
  const ended = sent.then(end);
  context?.waitUntil(ended);
  // A core that has just begun would never be ready.
  if (pathname === "/ready") await started();
  const peer: Peer = address === undefined ? {} : { address };
  return watched(await core.fetch(request, peer), resolve);
}

/** A stream that is resumed is another thing: what was kept of it is told. */
function wantsStream(headers: Headers): boolean {
  return headers.get("accept")?.includes("text/event-stream") === true &&
    headers.get("last-event-id") === null;
}

function cloudflareAddress(request: Request): string | undefined {
  if (!("cf" in request) || request.cf === undefined) return undefined;
  return request.headers.get("cf-connecting-ip") ?? undefined;
}
