/** What a client is made of. */
import { ManagementError } from "./errors.ts";

/** The web's `fetch`, as far as it is used here. It must honour `signal` and `redirect: "manual"`. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Time and timers. */
export interface ClientClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `run` once after `ms`, unless the returned function was called before. */
  after(ms: number, run: () => void): () => void;
}

export interface ManagementClientOptions {
  /** Base of the management API, such as `http://127.0.0.1:8809`; a path is kept as prefix. */
  readonly url: string | URL;
  /** Sent as `Authorization: Bearer`. Without it only public routes answer. */
  readonly token?: string | undefined;
  /** Carries the requests; `globalThis.fetch` unless TLS needs something of its own. */
  readonly fetch: Fetch;
  readonly clock: ClientClock;
  /** Uniform in [0, 1), such as `Math.random`: spreads reconnects and makes idempotency keys. */
  readonly random: () => number;
}

/** Where requests go, checked once. */
export interface Target {
  /** Without a slash at the end. */
  readonly base: string;
  readonly authorization: string | undefined;
  readonly fetch: Fetch;
  readonly clock: ClientClock;
  readonly random: () => number;
  /** Takes the token out of a text. */
  readonly mask: (text: string) => string;
}

/**
 * @throws ManagementError `unreachable` for a URL that cannot be one, `unauthorized` for a token that
 * no header can carry
 */
export function targetOf(options: ManagementClientOptions): Target {
  const { url, token, fetch: send, clock, random } = options;
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new ManagementError("unauthorized", "The token is empty or has other than ASCII letters");
  }
  return {
    base: baseOf(url),
    authorization: token === undefined ? undefined : `Bearer ${token}`,
    fetch: (address, init) => send(address, init),
    clock,
    random,
    mask: (text) => token === undefined ? text : text.replaceAll(token, "[token]"),
  };
}

/** The text never shows the URL when it could hold a password. */
function baseOf(url: string | URL): string {
  const parsed = URL.parse(url);
  if (parsed === null) throw badUrl("it cannot be read");
  const { protocol, username, password, search, hash, origin, pathname } = parsed;
  if (protocol !== "http:" && protocol !== "https:") throw badUrl("use http or https");
  if (username + password !== "") throw badUrl("credentials do not belong into it, use a token");
  if (search + hash !== "") throw badUrl("it must not have a query or a fragment");
  return origin + pathname.replace(/\/+$/, "");
}

function badUrl(why: string): ManagementError {
  const remedy = "Write it like `http://127.0.0.1:8809`.";
  return new ManagementError("unreachable", `The URL of the management API is wrong: ${why}`, {
    remedy,
  });
}
