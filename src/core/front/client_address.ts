/** Where a request came from: the peer, or the client that a trusted proxy names. */
import { type Address, type AddressList, parseAddress } from "./address_list.ts";
import type { HttpIncoming } from "./http_message.ts";
import type { Peer } from "./peer.ts";

/** Addresses whose form is remembered; more begin anew. */
const MAX_KNOWN = 4096;
/** Proxies in a row; what stands before them is nobody's word. */
const MAX_HOPS = 32;

export type ClientAddress = (incoming: HttpIncoming, peer: Peer | undefined) => Address | undefined;

/**
 * Gives the address of a request's client; undefined where the host knows none. Proxies append, so the list is
 * read from the right: the first address that is no trusted proxy is the client. `X-Forwarded-For` counts;
 * `Forwarded` only without it.
 */
export function createClientAddress(trusted: AddressList): ClientAddress {
  const find = rememberingParser();
  return (incoming, peer) => {
    const address = peer?.address === undefined ? undefined : find(withoutZone(peer.address));
    if (address === undefined || trusted.isEmpty || !trusted.has(address)) return address;
    let client = address;
    for (const entry of forwardedFor(incoming).slice(-MAX_HOPS).reverse()) {
      const next = entry === undefined ? undefined : find(entry);
      // Who wrote this is not trusted, or wrote something else: the last hop that is sure remains.
      if (next === undefined) return client;
      client = next;
      if (!trusted.has(next)) return client;
    }
    return client;
  };
}

/** Addresses come again and again. */
function rememberingParser(): (text: string) => Address | undefined {
  const known = new Map<string, Address>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const address = parseAddress(text);
    if (address === undefined) return undefined;
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(text, address);
    return address;
  };
}

/** `fe80::1%eth0` as the system names peers on a link. */
function withoutZone(address: string): string {
  const zone = address.indexOf("%");
  return zone === -1 ? address : address.slice(0, zone);
}

/** Addresses as the proxies wrote them, the client's end first; undefined for what is none. */
function forwardedFor(incoming: HttpIncoming): (string | undefined)[] {
  const list = incoming.header("x-forwarded-for");
  if (list !== undefined) return list.split(",").map((entry) => withoutPort(entry.trim()));
  const forwarded = incoming.header("forwarded");
  return forwarded === undefined ? [] : elementsOf(forwarded).map(forOf);
}

/** RFC 7239: a comma inside quotes separates nothing; an open quote makes all of it unreadable. */
function elementsOf(forwarded: string): string[] {
  const quotes = forwarded.split('"');
  if (quotes.length % 2 === 0 || forwarded.includes("\\")) return [];
  return quotes.map((part, at) => at % 2 === 1 ? part.replaceAll(",", " ") : part)
    .join('"').split(",");
}

/** The one `for` of an element. */
function forOf(element: string): string | undefined {
  const values = element.split(";").map((pair) => pair.trim())
    .filter((pair) => /^for=/i.test(pair)).map((pair) => pair.slice(4));
  const [value = ""] = values;
  if (values.length !== 1) return undefined;
  return withoutPort(/^"(.*)"$/.exec(value)?.[1] ?? value);
}

const WITH_PORT = /^(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/;

/** `192.0.2.7:4711`, `[2001:db8::7]:4711` and `[2001:db8::7]` without what is no address. */
function withoutPort(text: string): string {
  const [, bracketed, dotted] = WITH_PORT.exec(text) ?? [];
  return bracketed ?? dotted ?? text;
}
