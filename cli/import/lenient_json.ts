/** JSON with comments and trailing commas; loaded for files that have them, and for mistakes. */
import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import type { Table } from "../../src/config/raw.ts";
import type { Document } from "./document.ts";

const REASONS: Readonly<Record<string, string>> = {
  InvalidSymbol: "this is no value; text needs double quotes",
  InvalidNumberFormat: "this is no number",
  PropertyNameExpected: "a name in double quotes is missing",
  ValueExpected: "a value is missing",
  ColonExpected: "a colon is missing",
  CommaExpected: "a comma is missing",
  CloseBraceExpected: "a closing } is missing",
  CloseBracketExpected: "a closing ] is missing",
  EndOfFileExpected: "there is more behind the end",
  UnexpectedEndOfComment: "this comment has no end",
  UnexpectedEndOfString: "this text has no end",
  InvalidUnicode: "this is no \\uXXXX",
  InvalidEscapeCharacter: "unknown escape sequence",
  InvalidCharacter: "a control character in a text",
};

/** Parses a text; the first `added` characters do not count for places. */
export function lenientJson(text: string, added: number): Document {
  try {
    const errors: ParseError[] = [];
    const root = parseTree(text, errors, { allowTrailingComma: true });
    const [error] = errors;
    if (error !== undefined) {
      const reason = REASONS[printParseErrorCode(error.error)] ?? "this is no JSON";
      return { problem: `${placeOf(text.slice(added), error.offset - added)}: ${reason}` };
    }
    return root === undefined ? { problem: "it is empty" } : { value: valueOf(root) };
  } catch (thrown) {
    if (thrown instanceof RangeError) return { problem: "it is nested too deeply" };
    throw thrown;
  }
}

function valueOf(node: Node): unknown {
  if (node.type === "array") return (node.children ?? []).map(valueOf);
  if (node.type !== "object") return node.value;
  // No prototype: a key of the name __proto__ stays an ordinary key.
  const table: Table = Object.create(null);
  for (const { children } of node.children ?? []) {
    const [key, value] = children ?? [];
    if (key !== undefined && value !== undefined) table[String(key.value)] = valueOf(value);
  }
  return table;
}

function placeOf(text: string, offset: number): string {
  const lines = text.slice(0, offset).split(/\r?\n/);
  return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}
