import { type ErrorName, ERRORS } from "../contract/mod.ts";

/**
 * Judges Host and request target before routing. Deno builds a request's URL from the Host header, so that
 * `Host: a/manage?` would choose another route; Bun joins two Host headers; Node takes the first (trust.md A7).
 */
const AUTHORITY = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/** True when the request may be routed by its URL. */
export function isHostUsable(host: string | null | undefined, url: string): boolean {
  if (host === null || host === undefined || !AUTHORITY.test(host)) return false;
  const start = url.indexOf("://") + 3;
  const authority = url.slice(start, url.indexOf("/", start));
  return authority.toLowerCase() === host.toLowerCase();
}

const PROBES: ReadonlySet<string> = new Set(["/health", "/ready"]);

/**
 * Whether a request without Host may be served: load balancers check with HTTP/1.0, and what these paths tell
 * depends on nothing the request says.
 * @param target as it stands in the request line
 */
export function isProbe(method: string | undefined, target: string): boolean {
  return (method === "GET" || method === "HEAD") && PROBES.has(target);
}

/** A probe that came without Host, with a URL that can be read; undefined for any other request. */
export function probeOf({ method, headers, url }: Request): Request | undefined {
  if (headers.get("host") !== null) return undefined;
  // Bun gives the bare target as URL, Deno puts an authority of its own before it.
  const target = url.replace(/^http:\/\/[^/]*/, "");
  return isProbe(method, target)
    ? new Request(`http://localhost${target}`, { method, headers })
    : undefined;
}

/** All headers of a request together. */
export const MAX_HEADER_BYTES = 16 * 1024;

/** Answer to a request that may not be routed; the connection is not used again. */
export const BAD_HOST_BODY = body(
  "ORIGIN_OR_HOST_REFUSED",
  "the Host header or the request target is malformed",
);

export function badHost(): Response {
  return closing(400, BAD_HOST_BODY);
}

export function headersTooLarge(): Response {
  return closing(
    431,
    body("HEADERS_TOO_LARGE", `the headers are larger than ${MAX_HEADER_BYTES} bytes`),
  );
}

function body(code: ErrorName, reason: string): string {
  const error = {
    code: ERRORS[code].code,
    message: `Cannot serve the request: ${reason}`,
    data: { code },
  };
  return JSON.stringify({ jsonrpc: "2.0", id: null, error });
}

function closing(status: number, text: string): Response {
  return new Response(text, {
    status,
    headers: { "content-type": "application/json", "connection": "close" },
  });
}
