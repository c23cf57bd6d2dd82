/** What the URL of a database says, without what must not be shown. */
import { SentinelError } from "../../contract/errors.ts";

export interface Address {
  /** As the drivers take it. */
  readonly url: string;
  /** Neon speaks over WebSockets, everything else over TCP. */
  readonly kind: "postgres" | "neon";
  /** Host and database, for messages. */
  readonly place: string;
  /** Replaces the password in a text, however it is written there. */
  mask(text: string): string;
}

const NEON = /(^|\.)neon\.tech\.?$/i;
const MASK = "«secret»";

/** @throws SentinelError CONFIG_INVALID for what is no URL; the text itself is not shown */
export function addressOf(url: string): Address {
  const parsed = URL.parse(url);
  if (parsed === null) {
    const reason = "its URL cannot be read; write postgres://user:password@host:5432/database";
    throw new SentinelError("CONFIG_INVALID", `Cannot use the audit database: ${reason}`, {
      reason,
    });
  }
  const { searchParams, hostname, port, pathname } = parsed;
  // The drivers take these members of the query too, for sockets and for what does not fit into a host.
  const host = searchParams.get("host") ?? hostname;
  const secrets = [parsed.password, decoded(parsed.password), searchParams.get("password") ?? ""]
    .filter((secret) => secret !== "");
  return {
    url,
    kind: NEON.test(host) ? "neon" : "postgres",
    place: `${host}${port === "" ? "" : `:${port}`}${pathname}`,
    mask: (text) => secrets.reduce((masked, secret) => masked.replaceAll(secret, MASK), text),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
