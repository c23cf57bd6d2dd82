import { badHost, headersTooLarge, isHostUsable, MAX_HEADER_BYTES } from "../host_header.ts";
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

/** `name: value` and the line end. */
const FRAME = 4;

function headerBytes(headers: Headers): number {
  let bytes = 0;
  for (const [name, value] of headers) bytes += name.length + value.length + FRAME;
  return bytes;
}

/** Listens with `Deno.serve`, which bounds the number of headers but not their length. */
export function serveDeno({ hostname, port, fetch }: ServeOptions): Listener {
  const { Deno } = globalThis as unknown as { Deno: DenoServe };
  const aborting = new AbortController();
  const server = Deno.serve(
    { hostname, port, signal: aborting.signal, onListen: () => {} },
    (request, info) => {
      if (!isHostUsable(request.headers.get("host"), request.url)) return badHost();
      if (headerBytes(request.headers) > MAX_HEADER_BYTES) return headersTooLarge();
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
