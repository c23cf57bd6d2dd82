import { badHost, isHostUsable } from "../host_header.ts";
import type { Listener, ServeOptions } from "../serve.ts";

interface DenoServer {
  readonly addr: { readonly hostname: string; readonly port: number };
  readonly finished: Promise<void>;
  shutdown(): Promise<void>;
}

interface DenoServe {
  serve(
    options: { hostname: string; port: number; signal: AbortSignal; onListen: () => void },
    handler: (
      request: Request,
      info: { remoteAddr: { hostname?: string } },
    ) => Promise<Response> | Response,
  ): DenoServer;
}

/** Listens with `Deno.serve`. */
export function serveDeno({ hostname, port, fetch }: ServeOptions): Listener {
  const { Deno } = globalThis as unknown as { Deno: DenoServe };
  const aborting = new AbortController();
  const server = Deno.serve(
    { hostname, port, signal: aborting.signal, onListen: () => {} },
    (request, info) => {
      if (!isHostUsable(request.headers.get("host"), request.url)) return badHost();
      const { hostname: address } = info.remoteAddr;
      return fetch(request, address === undefined ? {} : { address });
    },
  );
  return {
    hostname,
    port: server.addr.port,
    close: () => server.shutdown(),
    abort: () => aborting.abort(),
  };
}
