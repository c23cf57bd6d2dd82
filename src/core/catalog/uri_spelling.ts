/** URIs that callers make up are judged by what a backend may read them as, not only as they are written. */

const ESCAPED_ASCII = /%([0-7][0-9a-f])/gi;
const DOT_SEGMENT = /(?:^|[/\\])\.{1,2}(?:[/\\?#]|$)/;
const SCHEME = /^[a-z][a-z0-9+.-]*:(?:\/\/)?/i;

/** The same URI with a lower-case scheme, without escaped ASCII and repeated slashes. */
export function plainUri(uri: string): string {
  const plain = uri.replace(
    ESCAPED_ASCII,
    (_, code: string) => String.fromCharCode(parseInt(code, 16)),
  );
  const scheme = SCHEME.exec(plain)?.[0] ?? "";
  return scheme.toLowerCase() + plain.slice(scheme.length).replace(/\/{2,}/g, "/");
}

/** Whether segments of the path lead elsewhere than its text says: `/public/../secret`. */
export function hasDotSegments(plain: string): boolean {
  return DOT_SEGMENT.test(plain);
}
