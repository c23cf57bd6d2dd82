/** What to do about an HTTP backend that does not answer. */
import type { BackendConfig } from "../../contract/mod.ts";
import { tableOf } from "./child_cures.ts";

/** By the words of the failure: those of the HTTP client and of the runtimes. */
const FAILURES: readonly (readonly [RegExp, (place: Place) => string])[] = [
  [
    /connection refused/i,
    ({ host }) => `start the server, or correct host and port: nothing listens on ${host}`,
  ],
  [
    /host name not found|ENOTFOUND|dns error/i,
    ({ host }) => `correct the name ${host}, or ask your name service`,
  ],
  [
    /CERT_HAS_EXPIRED|certificate expired|has expired|Expired\b/i,
    ({ host }) => `have the certificate of ${host} renewed`,
  ],
  [
    /ALTNAME_INVALID|NotValidForName|does not match/i,
    ({ host }) => `the certificate is for another name than ${host}: use the name it was made for`,
  ],
  [
    /SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|UnknownIssuer|unknown.?issuer|certificate refused|invalid peer certificate/i,
    () =>
      "name the authority of its certificate: NODE_EXTRA_CA_CERTS=FILE (Deno: DENO_CERT=FILE) in the environment",
  ],
  [
    /TLS failed|WRONG_VERSION|EPROTO|InvalidContentType|corrupt message/i,
    () => "what answers there speaks no TLS: write http:// in url, or correct the port",
  ],
  [/valid from/, () => "set the clock of this machine, or wait"],
  [
    /no answer/,
    ({ host }) =>
      `${host} takes connections and says nothing, or nothing gets through: look at its log`,
  ],
  [
    /not reachable|no connection in time|timed out/i,
    ({ host }) => `${host} cannot be reached from here: look at routes and firewalls`,
  ],
  [
    /it redirects/,
    () =>
      "write the address it leads to as url; redirects are not followed, they could lead a token away",
  ],
  [
    /not available|status 5\d\d/,
    () => "its server has a problem: look at its log, or try again later",
  ],
];

interface Place {
  /** With the port, where it is not the usual one. */
  readonly host: string;
}

/** @param better an address at which it did answer */
export function httpCure(
  { name, config, failure, better }: {
    readonly name: string;
    readonly config: BackendConfig;
    /** In words. */
    readonly failure: string;
    readonly better: string | undefined;
  },
): string {
  if (better !== undefined) {
    return `write  url = "${better}"  in ${tableOf(name)}: it answers there`;
  }
  if (isLogin(failure)) return loginCure(name, config);
  const host = URL.parse(config.url ?? "")?.host ?? "";
  const known = FAILURES.find(([pattern]) => pattern.test(failure));
  if (known !== undefined) return known[1]({ host });
  if (isWrongPath(failure)) {
    return `correct the path in url of ${
      tableOf(name)
    }; many servers answer at /mcp, older ones at /sse`;
  }
  return `correct url of ${tableOf(name)}, or look at the log of that server`;
}

/** It wants to know who calls. */
export function isLogin(failure: string): boolean {
  return failure.includes("refused our credentials");
}

/** Something answers there, but no MCP server. */
export function isWrongPath(failure: string): boolean {
  return /status (?:404|405|400|406|410|415|501)|Cannot use the answer/.test(failure);
}

/** Addresses of the same server that are usual, other than the one that is written. */
export function usualAddresses(url: string): readonly string[] {
  const parsed = URL.parse(url);
  if (parsed === null) return [];
  const path = parsed.pathname.replace(/\/+$/, "");
  return [...new Set([`${path}/mcp`, "/mcp", "/sse", `${path}/`])]
    .filter((candidate) => candidate !== parsed.pathname)
    .map((candidate) => {
      const other = new URL(parsed);
      other.pathname = candidate;
      return other.href;
    });
}

function loginCure(name: string, { headers }: BackendConfig): string {
  const own = Object.keys(headers).filter((header) => /auth|key|token|cookie/i.test(header));
  if (own.length > 0) {
    return `it does not take the value of ${own.join(", ")}: get a new one, and set the variable`;
  }
  const variable = `${name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, "_")}_TOKEN`;
  return `add  headers = { Authorization = "Bearer \${env:${variable}}" }  to ${
    tableOf(name)
  }, and set the variable`;
}
