/** `admit`: what is judged of an HTTP request before a byte of its body is read. */
import { SentinelError } from "../../contract/mod.ts";
import type { HttpIncoming } from "./http_message.ts";

const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);
/** A host name or address with an optional port; anything else could rewrite a URL (trust.md A7). */
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

export interface HttpPolicy {
  /**
   * Checks `Host` and `Origin`.
   * @throws SentinelError ORIGIN_OR_HOST_REFUSED with status 400, 403 or 421
   */
  admit(incoming: HttpIncoming): void;
}

export interface HttpPolicyOptions {
  /** Host name the gateway listens on. */
  readonly hostname: string;
  readonly publicUrl: string | undefined;
  readonly allowedOrigins: readonly string[];
}

/** Compiles the policy once; a request costs two header look-ups and two set look-ups. */
export function createHttpPolicy(
  { hostname, publicUrl, allowedOrigins }: HttpPolicyOptions,
): HttpPolicy {
  const hosts = new Set([hostname.toLowerCase()]);
  if (publicUrl !== undefined) hosts.add(new URL(publicUrl).hostname);
  const origins = new Set(allowedOrigins);
  return {
    admit(incoming) {
      const host = incoming.header("host");
      if (host !== undefined) checkHost(host, hosts);
      const origin = incoming.header("origin");
      if (origin !== undefined) checkOrigin(origin, origins);
    },
  };
}

/**
 * Refuses a `Host` that is malformed or names neither loopback nor one of `hosts` (lower case).
 * @throws SentinelError ORIGIN_OR_HOST_REFUSED with status 400 or 421
 */
export function checkHost(host: string, hosts: ReadonlySet<string>): void {
  if (!HOST.test(host)) throw refused(400, "the Host header is missing or malformed");
  const name = host.replace(/:\d+$/, "").toLowerCase();
  if (!LOOPBACK.has(name) && !hosts.has(name)) {
    throw refused(421, "the Host header names another server");
  }
}

function checkOrigin(origin: string, origins: ReadonlySet<string>): void {
  if (origins.has(origin) || isLoopbackOrigin(origin)) return;
  throw refused(403, "the Origin is not allowed");
}

/** Pages served from this machine may call a gateway on this machine. */
function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && LOOPBACK.has(new URL(origin).hostname);
}

function refused(http: number, reason: string): SentinelError {
  return new SentinelError("ORIGIN_OR_HOST_REFUSED", `Cannot serve the request: ${reason}`, {
    http,
  });
}
