/** TOML with one table put in, replaced or taken out: every other byte stays as it is. */
import { rangesAt, type TextRange } from "../../src/config/toml_places.ts";
import { tomlDocument } from "../../src/config/toml.ts";
import type { Keys } from "./tree.ts";

/** The text with a table at the path; a new one stands at the end. The text must be good. */
export function withTomlTable(
  text: string,
  path: Keys,
  value: Readonly<Record<string, unknown>>,
): string {
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const block = tableText(path, value).replaceAll("\n", eol);
  const [first] = rangesAt(text, path);
  if (first === undefined) {
    const gap = text === "" ? "" : text.endsWith("\n") ? eol : `${eol}${eol}`;
    return `${text}${gap}${block}`;
  }
  const rest = withoutTomlTable(text, path);
  const at = startOfLine(text, first.from);
  return `${rest.slice(0, at)}${block}${rest.slice(at)}`;
}

/** The text without the table at the path and what is below it; comments around it stay. */
export function withoutTomlTable(text: string, path: Keys): string {
  return rangesAt(text, path).reduceRight((rest, range) => without(rest, range), text);
}

function without(text: string, { from, to }: TextRange): string {
  const start = startOfLine(text, from);
  const [tail = ""] = /^[ \t]*(?:#[^\r\n]*)?(?:\r?\n|$)/.exec(text.slice(to)) ?? [];
  return `${text.slice(0, start)}${text.slice(to + tail.length)}`;
}

function startOfLine(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

/** The table with its header: the outer tables need none of their own. */
function tableText(path: Keys, value: Readonly<Record<string, unknown>>): string {
  const nested = path.reduceRight<Record<string, unknown>>((inner, key) => ({ [key]: inner }), {
    ...value,
  });
  return tomlDocument(nested);
}
