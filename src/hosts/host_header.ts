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

/** Answer to a request that may not be routed; the connection is not used again. */
export const BAD_HOST_BODY =
  '{"jsonrpc":"2.0","id":null,"error":{"code":-31003,"message":"Cannot serve the request: the Host header or the request target is malformed","data":{"code":"ORIGIN_OR_HOST_REFUSED"}}}';

export function badHost(): Response {
  return new Response(BAD_HOST_BODY, {
    status: 400,
    headers: { "content-type": "application/json", "connection": "close" },
  });
}
