import { badHost, isHostUsable, probeOf } from "../host_header.ts";
import type { Peer } from "../../core/mod.ts";
import type { Listener, ServeOptions } from "../serve.ts";
import {
  type BunUpgrader,
  bunWebSocket,
  type BunWebSocketOptions,
  upgradeOnBun,
} from "../websocket/bun.ts";
import { WebSocketLinks } from "../websocket/links.ts";
import { asksForWebSocket } from "../websocket/request.ts";

interface BunServer extends BunUpgrader {
  readonly port: number;
  stop(force: boolean): Promise<void>;
  requestIP(request: Request): { readonly address: string } | null;
  /** Ends the connection after so many seconds without traffic, from now on; 0 never does. */
  timeout(request: Request, seconds: number): void;
}

interface BunServe {
  serve(options: {
    hostname: string;
    port: number;
    idleTimeout: number;
    maxRequestBodySize: number;
    fetch: (request: Request, server: BunServer) => Promise<Response | undefined> | Response;
    websocket: BunWebSocketOptions;
    error: () => Response;
  }): BunServer;
}

/** Looks the address up only when somebody asks: few requests need it. */
class BunPeer implements Peer {
  readonly #request: Request;
  readonly #server: BunServer;

  constructor(request: Request, server: BunServer) {
    this.#request = request;
    this.#server = server;
  }

  get address(): string {
    return this.#server.requestIP(this.#request)?.address ?? "";
  }
}

/** Without a next request, or a reader that takes what it was given, a connection is ended. */
const KEEP_ALIVE_S = 65;

function isStream({ headers }: Response): boolean {
  return headers.get("content-type") === "text/event-stream";
}

/**
 * The same stream, whose connection is ended when its reader takes nothing of it: it would stay, with what waits
 * for it, even after the stream itself has ended. The runtime asks for more once the reader has taken enough.
 * @param limit sets the time for the connection, in seconds from now on
 */
function boundReading(response: Response, limit: (seconds: number) => void): Response {
  const reader = response.body?.getReader();
  if (reader === undefined) return response;
  const bounded = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      limit(0);
      const { done, value } = await reader.read();
      limit(KEEP_ALIVE_S);
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  return new Response(bounded, { status: response.status, headers: response.headers });
}

/** Listens with `Bun.serve`. */
export function serveBun(
  { hostname, port, fetch, handle, maxBodyBytes, clock }: ServeOptions,
): Listener {
  const { Bun } = globalThis as unknown as { Bun: BunServe };
  const links = new WebSocketLinks(clock);
  const server = Bun.serve({
    hostname,
    port,
    // Event streams are quiet for longer than any idle timeout; their heartbeat is the core's.
    idleTimeout: 0,
    // The core answers 413 itself; the runtime only guards far above it.
    maxRequestBodySize: maxBodyBytes * 4,
    websocket: bunWebSocket(links, maxBodyBytes * 4),
    fetch: (request, server) => {
      const peer = new BunPeer(request, server);
      const probe = probeOf(request);
      if (probe !== undefined) return fetch(probe, peer);
      // Reading the URL of a request with a malformed Host throws (trust.md A7).
      const host = request.headers.get("host");
      try {
        if (!isHostUsable(host, request.url)) return badHost();
      } catch {
        return badHost();
      }
      if (asksForWebSocket(request.method, request.url, request.headers.get("upgrade"))) {
        return upgradeOnBun(handle, server, { request, peer });
      }
      // It would be bound by what is set below for the pause after the request before.
      server.timeout(request, 0);
      return fetch(request, peer).then((response) => {
        const limit = (seconds: number) => server.timeout(request, seconds);
        if (isStream(response)) return boundReading(response, limit);
        limit(KEEP_ALIVE_S);
        return response;
      });
    },
    error: () => badHost(),
  });
  return {
    hostname,
    port: server.port,
    close: () => server.stop(false),
    abort: () => void server.stop(true),
  };
}
