/** What is judged of a request before anything else: nothing a browser sends for a foreign page gets further. */
import { SentinelError } from "../../contract/mod.ts";
import { checkHost, type HttpIncoming } from "../../core/mod.ts";

/**
 * Checks `Host`, `Origin` and `Sec-Fetch-Site`.
 * @throws SentinelError ORIGIN_OR_HOST_REFUSED with status 400, 403 or 421
 */
export function admit(incoming: HttpIncoming, hostnames: ReadonlySet<string>): void {
  checkHost(incoming.header("host") ?? "", hostnames);
  if (incoming.header("origin") !== undefined) {
    throw refused("pages of a browser have no access, so there must be no Origin header");
  }
  const site = incoming.header("sec-fetch-site");
  if (site !== undefined && site !== "same-origin" && site !== "none") {
    throw refused("it comes from a page of another site");
  }
}

function refused(reason: string): SentinelError {
  return new SentinelError("ORIGIN_OR_HOST_REFUSED", `Cannot serve the request: ${reason}`, {
    http: 403,
  });
}
