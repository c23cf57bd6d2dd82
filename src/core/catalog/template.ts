/**
 * Matching of URIs against URI templates (RFC 6570), only to find the backend: the backend itself reads
 * the variables. No regular expression is built from what a backend wrote (trust.md T12).
 */

/** A compiled template. */
export interface UriTemplate {
  /** Characters outside of expressions: the more, the more specific. */
  readonly literals: number;
  /** Whether the template may have produced the URI; linear in the length of both. */
  matches(uri: string): boolean;
}

interface Parts {
  /** What stands before, between and after the gaps; one more than those, only the outer may be empty. */
  readonly literals: readonly string[];
  /** For each expression, or row of expressions: whether `/` may stand in its place. */
  readonly gaps: readonly boolean[];
  /** The template ends with `{?…}`: a query may follow. */
  readonly query: boolean;
}

/** Text that an operator puts before its value. */
const LEADS: Readonly<Record<string, string>> = { "#": "#", ".": ".", "/": "/", ";": ";" };

/** Compiles a template; undefined when its braces are not balanced or empty. */
export function compileTemplate(template: string): UriTemplate | undefined {
  const parts = parse(template);
  if (parts === undefined) return undefined;
  const literals = parts.literals.reduce((sum, literal) => sum + literal.length, 0);
  return { literals, matches: (uri) => matches(parts, parts.query ? withoutQuery(uri) : uri) };
}

function parse(template: string): Parts | undefined {
  const [first = "", ...rest] = template.split("{");
  if (first.includes("}")) return undefined;
  const literals = [first];
  const gaps: boolean[] = [];
  for (const [at, piece] of rest.entries()) {
    const [body = "", literal, ...more] = piece.split("}");
    if (body === "" || literal === undefined || more.length > 0) return undefined;
    if (body.startsWith("?") && at === rest.length - 1 && literal === "") {
      return { literals, gaps, query: true };
    }
    addGap(literals, gaps, body);
    literals.push(literal);
  }
  return { literals, gaps, query: false };
}

/** Two expressions with nothing between them are one gap. */
function addGap(literals: string[], gaps: boolean[], body: string): void {
  const lead = LEADS[body.charAt(0)] ?? "";
  const before = (literals.pop() ?? "") + lead;
  const wide = mayHoldSlash(body);
  if (before !== "" || gaps.length === 0) {
    literals.push(before);
    gaps.push(wide);
  } else {
    gaps.push(gaps.pop() === true || wide);
  }
}

/** `{+x}`, `{#x}`, queries, several path segments; `{x*}` because common servers read it as a path. */
function mayHoldSlash(body: string): boolean {
  return /^[+#?&]/.test(body) || body.includes("*") || (body.startsWith("/") && body.includes(","));
}

function matches({ literals, gaps }: Parts, uri: string): boolean {
  const first = literals[0] ?? "";
  if (gaps.length === 0) return uri === first;
  const last = literals.at(-1) ?? "";
  return uri.length >= first.length + last.length && uri.startsWith(first) && uri.endsWith(last) &&
    fills(uri.slice(first.length, uri.length - last.length), gaps, literals.slice(1, -1));
}

/**
 * The first place of each literal leaves most for the rest, so nothing is tried twice. After a gap that
 * may hold a slash all may: a bit too much can match, which costs no more than a "not found" of the backend.
 */
function fills(text: string, gaps: readonly boolean[], between: readonly string[]): boolean {
  let from = 0;
  let slash = slashIn(text, from);
  let wide = false;
  for (const [at, mayHold] of gaps.entries()) {
    const literal = between[at] ?? "";
    const next = at === between.length ? text.length : text.indexOf(literal, from);
    if (next === -1) return false;
    wide ||= mayHold;
    if (!wide && slash < next) return false;
    from = next + literal.length;
    if (slash < from) slash = slashIn(text, from);
  }
  return true;
}

function slashIn(text: string, from: number): number {
  const at = text.indexOf("/", from);
  return at === -1 ? Infinity : at;
}

function withoutQuery(uri: string): string {
  const at = uri.indexOf("?");
  return at === -1 ? uri : uri.slice(0, at);
}
