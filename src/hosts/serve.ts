/** The HTTP listener of the runtime at hand. */
import type { FetchHandler, HttpHandler } from "../core/mod.ts";
import type { Clock } from "../ports/clock.ts";

/** PEM texts. */
export interface TlsFiles {
  /** Certificate chain, the server's own first. */
  readonly cert: string;
  readonly key: string;
  /** Authority of client certificates; present: a client without one is refused. */
  readonly clientCa?: string;
}

export interface ServeOptions {
  readonly hostname: string;
  /** 0 chooses a free port. */
  readonly port: number;
  readonly fetch: FetchHandler;
  /** The same without Request and Response; used where these are expensive. */
  readonly handle: HttpHandler;
  /** Longest body the listener lets in (bytes). */
  readonly maxBodyBytes: number;
  /** Present: HTTPS. */
  readonly tls?: TlsFiles;
  /** Open at once with TLS, handshakes included; default 256. Without TLS the runtime and the system bound them. */
  readonly maxConnections?: number;
  /** For the deadlines of connections that no runtime watches. */
  readonly clock: Clock;
}

export interface Listener {
  readonly hostname: string;
  readonly port: number;
  /** Takes no new connections; resolves when the open ones are done. */
  close(): Promise<void>;
  /** New connections get this certificate; open ones go on. Only of a listener with TLS. */
  renew?(files: TlsFiles): void;
  /** Ends open connections too. */
  abort(): void;
}

/** @throws an error with `code: "EADDRINUSE"` and the like when it cannot listen */
export async function serve(options: ServeOptions): Promise<Listener> {
  const { tls } = options;
  if (tls !== undefined) return await (await import("./tls/serve.ts")).serveTls(options, tls);
  if ("Deno" in globalThis) return (await import("./deno/serve.ts")).serveDeno(options);
  if ("Bun" in globalThis) return (await import("./bun/serve.ts")).serveBun(options);
  return await (await import("./node/serve.ts")).serveNode(options);
}
