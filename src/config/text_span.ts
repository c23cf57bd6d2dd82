/** Where characters of a TOML string stand in the file. */
import type { Span } from "./positions.ts";

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A character of the string, or nothing at all (a line end that is cut out), in the file. */
const ESCAPE = /\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|\s*\n\s*|.)/y;

/** The place of a range of a string's characters; the whole string when it is not within one line. */
export function spanWithin(lines: readonly string[], span: Span, { start, end }: Range): Span {
  const first = lines.slice(span.line - 1, span.endLine);
  const source = first.join("\n").slice(span.column);
  const offsets = offsetsOf(source);
  const from = offsets[start];
  const to = end > start ? offsets[end - 1] : from;
  if (from === undefined || to === undefined) return span;
  const begin = placeOf(source, from.at, span);
  const last = placeOf(source, to.at + to.length, span);
  if (begin.line !== last.line) return span;
  const endColumn = Math.max(last.column, begin.column + 1);
  return { line: begin.line, column: begin.column, endLine: last.line, endColumn };
}

interface Offset {
  readonly at: number;
  readonly length: number;
}

/** By character of the string, and one more for its end: where it stands in the source. */
function offsetsOf(source: string): Offset[] {
  const quotes = /^("""|'''|"|')/.exec(source)?.[0];
  if (quotes === undefined) return [];
  const offsets: Offset[] = [];
  let at = quotes.length;
  if (quotes.length === 3 && source[at] === "\n") at++;
  while (at < source.length && !source.startsWith(quotes, at)) {
    const { length, units } = characterAt(source, at, quotes.startsWith('"'));
    for (let unit = 0; unit < units; unit++) offsets.push({ at, length });
    at += length;
  }
  return [...offsets, { at, length: 0 }];
}

/** How long a character is in the source, and how many units of a text it stands for. */
function characterAt(source: string, at: number, isBasic: boolean) {
  ESCAPE.lastIndex = at;
  const escape = isBasic && source[at] === "\\" ? ESCAPE.exec(source)?.[0] : undefined;
  if (escape === undefined) return { length: 1, units: 1 };
  if (escape.includes("\n")) return { length: escape.length, units: 0 };
  const isWide = escape[1] === "U" && parseInt(escape.slice(2), 16) > 0xffff;
  return { length: escape.length, units: isWide ? 2 : 1 };
}

function placeOf(source: string, at: number, span: Span) {
  const before = source.slice(0, at).split("\n");
  const column = (before.at(-1) ?? "").length + (before.length === 1 ? span.column : 0);
  return { line: span.line + before.length - 1, column };
}
