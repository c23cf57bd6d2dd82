import { badHost, isHostUsable } from "../host_header.ts";
import type { Peer } from "../../core/mod.ts";
import type { Listener, ServeOptions } from "../serve.ts";

interface BunServer {
  readonly port: number;
  stop(force: boolean): Promise<void>;
  requestIP(request: Request): { readonly address: string } | null;
}

interface BunServe {
  serve(options: {
    hostname: string;
    port: number;
    idleTimeout: number;
    maxRequestBodySize: number;
    fetch: (request: Request, server: BunServer) => Promise<Response> | Response;
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

/** Listens with `Bun.serve`. */
export function serveBun({ hostname, port, fetch, maxBodyBytes }: ServeOptions): Listener {
  const { Bun } = globalThis as unknown as { Bun: BunServe };
  const server = Bun.serve({
    hostname,
    port,
    // Event streams are quiet for longer than any idle timeout; their heartbeat is the core's.
    idleTimeout: 0,
    // The core answers 413 itself; the runtime only guards far above it.
    maxRequestBodySize: maxBodyBytes * 4,
    fetch: (request, server) => {
      // Reading the URL of a request with a malformed Host throws (trust.md A7).
      const host = request.headers.get("host");
      try {
        if (!isHostUsable(host, request.url)) return badHost();
      } catch {
        return badHost();
      }
      return fetch(request, new BunPeer(request, server));
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
