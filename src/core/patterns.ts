/**
 * Name patterns of the configuration: `*` stands for any characters, also none, and is the only
 * wildcard. File globs are no match for names: there `*` stops at `/` and at a leading dot, so that
 * `deny = ["*"]` would let `a/b` through.
 */

/** A name matcher: true when at least one of the patterns matches the whole name, case-sensitive. */
export type Matcher = (name: string) => boolean;

/** Compiles patterns once; matching looks at each character a bounded number of times. */
export function compilePatterns(patterns: readonly string[]): Matcher {
  const matchers = patterns.map(compilePattern);
  return (name) => matchers.some((matches) => matches(name));
}

/** Characters a pattern demands; a name without `*` goes before every pattern it falls under. */
export function specificity(pattern: string): number {
  const literal = pattern.replaceAll("*", "").length;
  return literal === pattern.length ? Infinity : literal;
}

/** Whether a pattern could match some name that begins with `prefix`. */
export function mayMatchPrefix(patterns: readonly string[], prefix: string): boolean {
  return patterns.some((pattern) => {
    const star = pattern.indexOf("*");
    if (star === -1) return pattern.startsWith(prefix);
    const head = pattern.slice(0, star);
    return head.startsWith(prefix) || prefix.startsWith(head);
  });
}

function compilePattern(pattern: string): Matcher {
  const parts = pattern.split("*");
  if (parts.length === 1) return (name) => name === pattern;
  const head = parts[0] ?? "";
  const tail = parts.at(-1) ?? "";
  const middle = parts.slice(1, -1).filter((part) => part !== "");
  return (name) =>
    name.length >= head.length + tail.length && name.startsWith(head) && name.endsWith(tail) &&
    containsInOrder(name.slice(head.length, name.length - tail.length), middle);
}

/** The first place of each part leaves most for the next, so there is nothing to try twice. */
function containsInOrder(text: string, parts: readonly string[]): boolean {
  let from = 0;
  for (const part of parts) {
    const at = text.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return true;
}
