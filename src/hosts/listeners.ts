/**
 * The gateway's listeners. They are bound before anything else is opened, so that an address that is taken
 * costs nothing, and answer as soon as their door is opened.
 */
import { parseListen } from "../contract/config/listen.ts";
import { type Config, SentinelError } from "../contract/mod.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { Door } from "./door.ts";
import { type Listener, serve } from "./serve.ts";
import type { LoadedTls, TlsPaths } from "./tls/files.ts";
import type { Renewable } from "./tls/renewal.ts";

/** For the last bytes of answers, after which open connections are ended. */
const CLOSE_MS = 1000;
/** Longest body of a management request is far below; the API answers 413 itself. */
const MANAGEMENT_BODY_BYTES = 1024 * 1024;
/** Clients over TLS: each may hold a stream beside its calls. */
const MAX_CLIENT_CONNECTIONS = 16_384;

/** A listener, waiting behind its door. */
export interface Bound {
  readonly listener: Listener;
  readonly door: Door;
  /** Such as `http://127.0.0.1:8808`; a listener on every interface by its loopback address. */
  readonly url: string;
  /** Names and addresses it is reached by, in lower case, beside loopback. */
  readonly hostnames: ReadonlySet<string>;
  /** Present with TLS: what can be renewed while it runs; `hostnames` follow. */
  readonly renewable?: Renewable;
}

/** The system refused to listen. */
class ListenFailure extends Error {
  /** The system's name for why, such as `EADDRINUSE`. */
  readonly code: string | undefined;
  readonly listener: "server" | "management";
  readonly address: string;

  constructor(listener: ListenFailure["listener"], address: string, cause: unknown) {
    const { code, message } = cause as NodeJS.ErrnoException;
    super(`Cannot listen on ${address}: ${message}`, { cause });
    this.name = "ListenFailure";
    this.code = code;
    this.listener = listener;
    this.address = address;
  }
}

/** Listens for MCP clients. @throws ListenFailure, SentinelError CONFIG_INVALID for its TLS files */
export async function bindServer({ server }: Config, clock: Clock): Promise<Bound> {
  return await bind("server", {
    address: server.listen,
    maxBodyBytes: server.max_request_size,
    maxConnections: MAX_CLIENT_CONNECTIONS,
    tls: await load("server", server.tls),
    clock,
  });
}

/** Listens for operators. @throws ListenFailure, SentinelError CONFIG_INVALID for its TLS files */
export async function bindManagement({ management }: Config, clock: Clock): Promise<Bound> {
  const { listen, tls } = management;
  return await bind("management", {
    address: listen,
    maxBodyBytes: MANAGEMENT_BODY_BYTES,
    tls: await load("management", tls),
    clock,
  });
}

/** TLS files of a listener, with where they came from. */
interface Tls {
  readonly paths: TlsPaths;
  readonly loaded: LoadedTls;
}

async function load(name: ListenFailure["listener"], paths?: TlsPaths): Promise<Tls | undefined> {
  if (paths === undefined) return undefined;
  const { loadTls } = await import("./tls/files.ts");
  return { paths, loaded: await loadTls(paths, `${name}.tls`) };
}

/** Keeps the certificates of listeners as new as their files, until it is stopped. */
export async function renewCertificates(
  bounds: readonly (Bound | undefined)[],
  ports: { readonly clock: Clock; readonly log: Log },
): Promise<{ stop(): void }> {
  const renewable = bounds.flatMap((bound) => bound?.renewable ?? []);
  if (renewable.length === 0) return { stop: () => {} };
  const { CertificateRenewal } = await import("./tls/renewal.ts");
  const all = renewable.map((one) => new CertificateRenewal({ ...one, ...ports }));
  return {
    stop: () => {
      for (const renewal of all) renewal.stop();
    },
  };
}

/** Closes a listener; connections that are still open a second later are ended. */
export async function closeListener(listener: Listener, closed = listener.close()): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, CLOSE_MS, false);
  const settled = await Promise.race([closed.then(() => true), late]);
  clearTimeout(timer);
  if (!settled) listener.abort();
}

interface BindOptions {
  readonly address: string;
  readonly maxBodyBytes: number;
  /** With TLS; default: as for operators. */
  readonly maxConnections?: number;
  readonly tls: Tls | undefined;
  readonly clock: Clock;
}

async function bind(
  name: ListenFailure["listener"],
  { address, tls, clock, ...bounds }: BindOptions,
): Promise<Bound> {
  const parsed = parseListen(address);
  if (parsed === undefined) throw new SentinelError("INTERNAL", `Cannot listen on "${address}"`);
  const { host: hostname, port } = parsed;
  const door = new Door();
  const { handle, fetch } = door;
  const secured = tls === undefined ? {} : { tls: tls.loaded };
  const listener = await serve({ hostname, port, handle, fetch, clock, ...bounds, ...secured })
    .catch((thrown: unknown) => {
      throw new ListenFailure(name, address, thrown);
    });
  const scheme = tls === undefined ? "http" : "https";
  const hostnames = new Set<string>();
  const learn = (names: readonly string[]) => {
    hostnames.clear();
    for (const known of [hostname, ...names]) hostnames.add(known.toLowerCase());
  };
  learn(tls?.loaded.names ?? []);
  const renew = (loaded: LoadedTls) => {
    listener.renew?.(loaded);
    learn(loaded.names);
  };
  return {
    listener,
    door,
    url: `${scheme}://${reachable(hostname)}:${listener.port}`,
    hostnames,
    ...(tls === undefined ? {} : { renewable: { listener: name, ...tls, renew } }),
  };
}

function reachable(hostname: string): string {
  if (hostname === "" || hostname === "0.0.0.0") return "127.0.0.1";
  if (hostname === "::") return "[::1]";
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
