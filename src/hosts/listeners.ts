/**
 * The gateway's listeners. They are bound before anything else is opened, so that an address that is taken
 * costs nothing, and answer as soon as their door is opened.
 */
import { parseListen } from "../contract/config/listen.ts";
import { type Config, SentinelError } from "../contract/mod.ts";
import type { Clock } from "../ports/clock.ts";
import { Door } from "./door.ts";
import { type Listener, serve } from "./serve.ts";
import type { LoadedTls, TlsPaths } from "./tls/files.ts";

/** For the last bytes of answers, after which open connections are ended. */
const CLOSE_MS = 1000;
/** Longest body of a management request is far below; the API answers 413 itself. */
const MANAGEMENT_BODY_BYTES = 1024 * 1024;

/** A listener, waiting behind its door. */
export interface Bound {
  readonly listener: Listener;
  readonly door: Door;
  /** Such as `http://127.0.0.1:8808`; a listener on every interface by its loopback address. */
  readonly url: string;
  /** Names and addresses it is reached by, in lower case, beside loopback. */
  readonly hostnames: ReadonlySet<string>;
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

/** Listens for MCP clients. @throws ListenFailure */
export function bindServer({ server }: Config, clock: Clock): Promise<Bound> {
  return bind("server", {
    address: server.listen,
    maxBodyBytes: server.max_request_size,
    tls: undefined,
    clock,
  });
}

/** Listens for operators. @throws ListenFailure, SentinelError CONFIG_INVALID for its TLS files */
export async function bindManagement({ management }: Config, clock: Clock): Promise<Bound> {
  const { listen, tls } = management;
  return await bind("management", {
    address: listen,
    maxBodyBytes: MANAGEMENT_BODY_BYTES,
    tls: tls === undefined ? undefined : await loadManagementTls(tls),
    clock,
  });
}

async function loadManagementTls(paths: TlsPaths): Promise<LoadedTls> {
  const { loadTls } = await import("./tls/files.ts");
  return await loadTls(paths, "management.tls");
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
  readonly tls: LoadedTls | undefined;
  readonly clock: Clock;
}

async function bind(
  name: ListenFailure["listener"],
  { address, maxBodyBytes, tls, clock }: BindOptions,
): Promise<Bound> {
  const parsed = parseListen(address);
  if (parsed === undefined) throw new SentinelError("INTERNAL", `Cannot listen on "${address}"`);
  const { host: hostname, port } = parsed;
  const door = new Door();
  const { handle, fetch } = door;
  const secured = tls === undefined ? {} : { tls };
  const listener = await serve({ hostname, port, handle, fetch, maxBodyBytes, clock, ...secured })
    .catch((thrown: unknown) => {
      throw new ListenFailure(name, address, thrown);
    });
  const scheme = tls === undefined ? "http" : "https";
  return {
    listener,
    door,
    url: `${scheme}://${reachable(hostname)}:${listener.port}`,
    hostnames: new Set([hostname, ...tls?.names ?? []].map((name) => name.toLowerCase())),
  };
}

function reachable(hostname: string): string {
  if (hostname === "" || hostname === "0.0.0.0") return "127.0.0.1";
  if (hostname === "::") return "[::1]";
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
