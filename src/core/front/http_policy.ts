/** `admit`: what is judged of an HTTP request before a byte of its body is read. */
import { type Config, SentinelError } from "../../contract/mod.ts";
import { type Address, createAddressList } from "./address_list.ts";
import { createClientAddress } from "./client_address.ts";
import type { HttpIncoming } from "./http_message.ts";
import type { Peer } from "./peer.ts";

const NO_NAMES: ReadonlySet<string> = new Set();
const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);
/** A host name or address with an optional port; anything else could rewrite a URL (trust.md A7). */
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;
/** What every listener refuses by itself. */
const LISTENERS_HEADER_BYTES = 16_384;

export interface HttpPolicy {
  /** Where a request comes from, where that is known; also for one that is refused. */
  addressOf(incoming: HttpIncoming, peer: Peer | undefined): string | undefined;
  /**
   * Checks address, headers, `Host` and `Origin`; gives the client's address, where it is known.
   * @throws SentinelError ADDRESS_REFUSED, HEADERS_TOO_LARGE, BAD_HTTP for a body that does not belong there, or
   *   ORIGIN_OR_HOST_REFUSED with status 400, 403 or 421
   */
  admit(incoming: HttpIncoming, peer: Peer | undefined): string | undefined;
}

/**
 * Compiles the policy once; what is not configured costs a request nothing.
 * @param reached names the listener is reached by, in lower case; they may change
 */
export function createHttpPolicy(
  { server }: Config,
  reached: ReadonlySet<string> = NO_NAMES,
): HttpPolicy {
  const hosts = new Set([server.listen.replace(/:\d+$/, "").toLowerCase()]);
  if (server.public_url !== undefined) hosts.add(new URL(server.public_url).hostname);
  const origins = new Set(server.allowed_origins);
  const addressOf = createClientAddress(createAddressList(server.trusted_proxies));
  const isAllowed = createAddressCheck(server);
  const maxHeaderBytes = server.max_header_size;
  return {
    addressOf: (incoming, peer) => addressOf(incoming, peer)?.text,
    admit(incoming, peer) {
      const address = addressOf(incoming, peer);
      if (!isAllowed(address)) throw addressRefused();
      if (maxHeaderBytes < LISTENERS_HEADER_BYTES) checkSize(incoming, maxHeaderBytes);
      const host = incoming.header("host");
      if (host !== undefined) checkHost(host, hosts, reached);
      checkPage(incoming, origins);
      if (incoming.method === "GET" || incoming.method === "DELETE") checkNoBody(incoming);
      return address?.text;
    },
  };
}

/**
 * Refuses a `Host` that is malformed or names neither loopback nor one of `hosts` or `reached` (lower case).
 * @throws SentinelError ORIGIN_OR_HOST_REFUSED with status 400 or 421
 */
export function checkHost(
  host: string,
  hosts: ReadonlySet<string>,
  reached: ReadonlySet<string> = NO_NAMES,
): void {
  if (!HOST.test(host)) throw refused(400, "the Host header is missing or malformed");
  const name = host.replace(/:\d+$/, "").toLowerCase();
  if (!LOOPBACK.has(name) && !hosts.has(name) && !reached.has(name)) {
    throw refused(421, "the Host header names another server");
  }
}

type AddressCheck = (address: Address | undefined) => boolean;

/** An address that is not known is in no list of those that may call. */
function createAddressCheck(
  { allow_addresses: allowed, deny_addresses: denied }: Config["server"],
): AddressCheck {
  const allow = createAddressList(allowed);
  const deny = createAddressList(denied);
  if (allow.isEmpty && deny.isEmpty) return () => true;
  return (address) =>
    address !== undefined && !deny.has(address) && (allow.isEmpty || allow.has(address));
}

/** What a browser says about the page that asks. */
function checkPage(incoming: HttpIncoming, origins: ReadonlySet<string>): void {
  const origin = incoming.header("origin");
  if (origin !== undefined && origins.has(origin)) return;
  if (origin !== undefined && !isLoopbackOrigin(origin)) {
    throw refused(403, "the Origin is not allowed");
  }
  // Not every request of a page carries an Origin: images, links and frames do not.
  if (incoming.header("sec-fetch-site") === "cross-site") {
    throw refused(403, "it comes from a page of another site");
  }
}

/** Pages served from this machine may call a gateway on this machine. */
function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && LOOPBACK.has(new URL(origin).hostname);
}

function checkSize(incoming: HttpIncoming, maxBytes: number): void {
  if (incoming.headerBytes() <= maxBytes) return;
  throw new SentinelError(
    "HEADERS_TOO_LARGE",
    `Cannot serve the request: the headers are larger than ${maxBytes} bytes`,
  );
}

/** Nobody would read it, and some runtimes hide it: the next request must not begin in its middle. */
function checkNoBody(incoming: HttpIncoming): void {
  const length = incoming.header("content-length");
  const hasBody = incoming.header("transfer-encoding") !== undefined ||
    (length !== undefined && length !== "0");
  if (!hasBody) return;
  throw new SentinelError(
    "BAD_HTTP",
    `Cannot serve the request: a ${incoming.method} has no body`,
    { http: 400 },
  );
}

function addressRefused(): SentinelError {
  return new SentinelError(
    "ADDRESS_REFUSED",
    "Cannot serve the request: the address is not allowed",
  );
}

function refused(http: number, reason: string): SentinelError {
  return new SentinelError("ORIGIN_OR_HOST_REFUSED", `Cannot serve the request: ${reason}`, {
    http,
  });
}
