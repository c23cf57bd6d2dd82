import {
  badHost,
  headersTooLarge,
  isHostUsable,
  MAX_HEADER_BYTES,
  probeOf,
} from "../host_header.ts";
import type { Listener, ServeOptions } from "../serve.ts";
import { upgradeOnDeno } from "../websocket/deno.ts";
import { WebSocketLinks } from "../websocket/links.ts";
import { asksForWebSocket } from "../websocket/request.ts";

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
export function serveDeno({ hostname, port, fetch, handle, clock }: ServeOptions): Listener {
  const { Deno } = globalThis as unknown as { Deno: DenoServe };
  const aborting = new AbortController();
  const aborted = new Promise((resolve) => aborting.signal.addEventListener("abort", resolve));
  const links = new WebSocketLinks(clock);
  const server = Deno.serve(
    { hostname, port, signal: aborting.signal, onListen: () => {} },
    (request, info) => {
      const probe = probeOf(request);
      const isUsable = isHostUsable(request.headers.get("host"), request.url);
      if (probe === undefined && !isUsable) return badHost();
      if (headerBytes(request.headers) > MAX_HEADER_BYTES) return headersTooLarge();
      const { hostname: address } = info.remoteAddr;
      const peer = address === undefined ? {} : { address };
      if (probe !== undefined) return fetch(probe, peer);
      if (asksForWebSocket(request.method, request.url, request.headers.get("upgrade"))) {
        return upgradeOnDeno({ handle, clock, links }, request, peer);
      }
      return fetch(request, peer);
    },
  );
  return {
    hostname,
    port: server.addr.port,
    close: async () => {
      // It would end WebSockets at once, and the calls on them.
      await Promise.race([links.none(), aborted]);
      await server.shutdown();
    },
    abort: () => aborting.abort(),
  };
}
