/** What is judged of a request before anything else: nothing a browser sends for a foreign page gets further. */
import { SentinelError } from "../../contract/mod.ts";
import type { HttpIncoming } from "../../core/mod.ts";

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
/** A host name or address with an optional port; anything else could rewrite a URL. */
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/**
 * Checks `Host`, `Origin` and `Sec-Fetch-Site`.
 * @throws SentinelError ORIGIN_OR_HOST_REFUSED with status 400, 403 or 421
 */
export function admit(incoming: HttpIncoming, hostnames: readonly string[]): void {
  checkHost(incoming.header("host"), hostnames);
  if (incoming.header("origin") !== undefined) {
    throw refused(403, "pages of a browser have no access, so there must be no Origin header");
  }
  const site = incoming.header("sec-fetch-site");
  if (site !== undefined && site !== "same-origin" && site !== "none") {
    throw refused(403, "it comes from a page of another site");
  }
}

function checkHost(host: string | undefined, hostnames: readonly string[]): void {
  if (host === undefined || !HOST.test(host)) {
    throw refused(400, "the Host header is missing or malformed");
  }
  const name = host.replace(/:\d+$/, "").toLowerCase();
  if (LOOPBACK.includes(name) || hostnames.some((own) => own.toLowerCase() === name)) return;
  throw refused(421, "the Host header names another server");
}

function refused(http: number, reason: string): SentinelError {
  return new SentinelError("ORIGIN_OR_HOST_REFUSED", `Cannot serve the request: ${reason}`, {
    http,
  });
}
